#include "vmm/hypervisor/kvm/kvm_vcpu.h"

#include <linux/kvm.h>
#include <sys/ioctl.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "vmm/hypervisor/kvm/array_calls.h"
#include "vmm/hypervisor/kvm/convert_cpuid.h"
#include "vmm/hypervisor/kvm/convert_registers.h"
#include "vmm/hypervisor/kvm/kick_signal.h"
#include "vmm/hypervisor/kvm/vcpu_state.h"
#include "vmm/os/ioctl.h"
#include "vmm/os/mapping.h"
#include "vmm/result/check.h"

namespace qm::kvm {

namespace {

// kick() without a race: immediate_exit first, then the signal. A thread that is not in KVM_RUN yet finds
// immediate_exit set when it enters; one that is in it leaves by the signal. KVM_RUN completes a pending access before
// it looks, so a vCPU that answered Interrupted has nothing half done.
class KvmVcpu final : public Vcpu {
 public:
  KvmVcpu(std::uint32_t index, FileDescriptor vcpu, Mapping shared, std::shared_ptr<const HostFeatures> features)
      : index_(index), vcpu_(std::move(vcpu)), shared_(std::move(shared)), features_(std::move(features)) {}

  Status setCpuid(const CpuidTable& cpuid) override;
  VcpuExit run() override;
  void completeRead(std::uint64_t value) override;
  void kick() override;
  Result<CpuState> save() override;
  Status load(const CpuState& state) override { return loadVcpu(vcpu_, *features_, index_, state); }
  Status setRegisters(const Registers& registers, const SystemRegisters& system) override;
  Result<SystemRegisters> systemRegisters() override;
  Result<Registers> registers() override;
  Status markResumed() override;

 private:
  // The rest of a string port access, handed out element by element.
  struct PortString {
    std::uint16_t port;
    std::uint8_t bytes;
    bool isRead;
    std::uint32_t next;
    std::uint32_t count;
    std::uint64_t offset;  // of the data in the shared page
  };

  kvm_run* page() const { return reinterpret_cast<kvm_run*>(shared_.bytes().data()); }
  void setImmediateExit(bool on) const { __atomic_store_n(&page()->immediate_exit, on ? 1 : 0, __ATOMIC_RELEASE); }
  std::optional<VcpuExit> leftRun(int failure);
  std::optional<VcpuExit> translateExit();
  VcpuExit nextPortElement();
  VcpuExit mmioExit();
  Status settle();
  Fault fault(std::string reason);

  std::uint32_t index_;
  FileDescriptor vcpu_;
  Mapping shared_;
  std::shared_ptr<const HostFeatures> features_;
  CpuidTable cpuid_;
  std::atomic<pid_t> thread_{0};
  std::atomic<bool> kicked_{false};  // and not answered with Interrupted: save() borrows immediate_exit
  std::optional<PortString> portString_;
  std::span<std::byte> readInto_;  // where completeRead puts its value; empty when nothing waits
  bool accessPending_ = false;     // KVM finishes the last access at the next KVM_RUN
  bool exitWaiting_ = false;       // the last KVM_RUN's exit is still to be answered
};

Status KvmVcpu::setCpuid(const CpuidTable& cpuid) {
  CpuidList list = toKvm(cpuid);
  TRY(callIoctl(vcpu_, kSetCpuid, list.header(), "KVM_SET_CPUID2"));
  cpuid_ = cpuid;
  return {};
}

VcpuExit KvmVcpu::run() {
  CHECK(readInto_.empty());
  if (portString_) return nextPortElement();
  thread_.store(currentThread(), std::memory_order_release);
  for (;;) {
    accessPending_ = false;
    const bool isThere = std::exchange(exitWaiting_, false);
    const int failure = !isThere && ::ioctl(vcpu_.get(), KVM_RUN, 0) < 0 ? errno : 0;
    if (std::optional<VcpuExit> exit = leftRun(failure)) return *std::move(exit);
  }
}

// What KVM_RUN's return means; nothing: enter again.
std::optional<VcpuExit> KvmVcpu::leftRun(int failure) {
  switch (failure) {
    case 0:
      return translateExit();
    case EINTR:
      kicked_.store(false, std::memory_order_release);
      setImmediateExit(false);
      return Interrupted{};
    case EAGAIN:  // a processor that waited for its start-up IPI has got it
      return std::nullopt;
    default:
      return fault(systemError("KVM_RUN", failure).text());
  }
}

std::optional<VcpuExit> KvmVcpu::translateExit() {
  const kvm_run& run = *page();
  switch (run.exit_reason) {
    case KVM_EXIT_IO:
      portString_ = PortString{.port = run.io.port,
                               .bytes = run.io.size,
                               .isRead = run.io.direction == KVM_EXIT_IO_IN,
                               .next = 0,
                               .count = run.io.count,
                               .offset = run.io.data_offset};
      accessPending_ = true;
      return nextPortElement();
    case KVM_EXIT_MMIO:
      accessPending_ = true;
      return mmioExit();
    case KVM_EXIT_HLT:
      return Halted{};
    case KVM_EXIT_SHUTDOWN:
      return Shutdown{};
    case KVM_EXIT_INTR:
    case KVM_EXIT_IRQ_WINDOW_OPEN:
      return std::nullopt;
    case KVM_EXIT_SYSTEM_EVENT:
      if (run.system_event.type == KVM_SYSTEM_EVENT_RESET) return SystemReset{};
      return fault(fmt::format("KVM reports the system event {}", run.system_event.type));
    case KVM_EXIT_FAIL_ENTRY:
      return fault(fmt::format("the CPU refused to enter the guest, hardware reason {:#x}",
                               run.fail_entry.hardware_entry_failure_reason));
    case KVM_EXIT_INTERNAL_ERROR:
      return fault(fmt::format("KVM gave up with internal error {} ({})", run.internal.suberror,
                               run.internal.suberror == KVM_INTERNAL_ERROR_EMULATION
                                   ? "an instruction it cannot emulate"
                                   : "not emulation"));
    default:
      return fault(fmt::format("KVM left the guest for reason {}, which this version does not know", run.exit_reason));
  }
}

VcpuExit KvmVcpu::nextPortElement() {
  const PortString access = *portString_;
  const std::span<std::byte> data =
      shared_.bytes().subspan(access.offset + std::uint64_t{access.next} * access.bytes, access.bytes);
  if (access.next + 1 == access.count) {
    portString_.reset();
  } else {
    ++portString_->next;
  }
  if (access.isRead) {
    readInto_ = data;
    return IoRead{.port = access.port, .bytes = access.bytes};
  }
  std::uint32_t value = 0;
  std::memcpy(&value, data.data(), data.size());
  return IoWrite{.port = access.port, .bytes = access.bytes, .value = value};
}

VcpuExit KvmVcpu::mmioExit() {
  kvm_run& run = *page();
  const auto bytes = static_cast<std::uint8_t>(run.mmio.len);
  const GuestAddress address{run.mmio.phys_addr};
  if (run.mmio.is_write == 0) {
    readInto_ = std::as_writable_bytes(std::span(run.mmio.data)).first(bytes);
    return MmioRead{.address = address, .bytes = bytes};
  }
  std::uint64_t value = 0;
  std::memcpy(&value, run.mmio.data, bytes);
  return MmioWrite{.address = address, .bytes = bytes, .value = value};
}

void KvmVcpu::completeRead(std::uint64_t value) {
  CHECK(!readInto_.empty());
  std::memcpy(readInto_.data(), &value, readInto_.size());
  readInto_ = {};
}

void KvmVcpu::kick() {
  kicked_.store(true, std::memory_order_release);
  setImmediateExit(true);
  const pid_t thread = thread_.load(std::memory_order_acquire);
  if (thread != 0) sendKickSignal(thread);
}

Result<CpuState> KvmVcpu::save() {
  CHECK(readInto_.empty());
  if (!portString_ && !exitWaiting_) TRY(settle());
  if (portString_ || exitWaiting_) {
    return Error(Remedy::retry,
                 "the vCPU is in the middle of an access that comes in parts: let it run to Interrupted");
  }
  CpuState state = TRY(saveVcpu(vcpu_, *features_, cpuid_));
  if (!oneShotRanOut(state.localApic)) return state;
  // It may have run out since, with its interrupt still held back.
  TRY(settle());
  state = TRY(saveVcpu(vcpu_, *features_, cpuid_));
  if (oneShotRanOut(state.localApic)) disarmTimer(state.localApic);
  return state;
}

// Finishes what KVM has half done, without running an instruction: the last access, and the interrupt of a timer that
// ran out, which KVM holds back from the local APIC's registers until the vCPU runs. A signal that waits lets KVM_RUN
// do both and keeps it from entering the guest (immediate_exit would skip the second). An access of two parts answers
// its second instead, which the next run() hands out. Twice: the first time KVM only makes a request (IRR) of the
// timer's interrupt, the second time the vCPU takes it, and a machine that is restored and saved again gives the same
// state.
Status KvmVcpu::settle() {
  const WaitingKick waiting;
  SignalMask mask;
  std::memcpy(mask.sigset, &waiting.maskThatLetsItIn(), sizeof mask.sigset);
  TRY(callIoctl(vcpu_, kSetSignalMask, &mask, "KVM_SET_SIGNAL_MASK"));
  setImmediateExit(false);
  int failure = EINTR;
  for (int i = 0; i < 2 && failure == EINTR; ++i) failure = ::ioctl(vcpu_.get(), KVM_RUN, 0) < 0 ? errno : 0;
  setImmediateExit(kicked_.load(std::memory_order_acquire));
  TRY(callIoctl(vcpu_, kSetSignalMask, nullptr, "KVM_SET_SIGNAL_MASK"));
  if (failure != 0 && failure != EINTR) return systemError("KVM_RUN", failure);
  exitWaiting_ = failure == 0;
  accessPending_ = exitWaiting_;
  return {};
}

Status KvmVcpu::setRegisters(const Registers& registers, const SystemRegisters& system) {
  const kvm_sregs special = toKvm(system);
  TRY(callIoctl(vcpu_, KVM_SET_SREGS, &special, "KVM_SET_SREGS"));
  const kvm_regs general = toKvm(registers);
  TRY(callIoctl(vcpu_, KVM_SET_REGS, &general, "KVM_SET_REGS"));
  return {};
}

Result<SystemRegisters> KvmVcpu::systemRegisters() {
  kvm_sregs system{};
  TRY(callIoctl(vcpu_, KVM_GET_SREGS, &system, "KVM_GET_SREGS"));
  return fromKvm(system);
}

Result<Registers> KvmVcpu::registers() {
  kvm_regs general{};
  TRY(callIoctl(vcpu_, KVM_GET_REGS, &general, "KVM_GET_REGS"));
  return fromKvm(general);
}

Status KvmVcpu::markResumed() {
  // EINVAL: the guest has set up no kvmclock, so there is nobody to tell.
  if (::ioctl(vcpu_.get(), KVM_KVMCLOCK_CTRL, 0) < 0 && errno != EINVAL) return systemError("KVM_KVMCLOCK_CTRL", errno);
  return {};
}

Fault KvmVcpu::fault(std::string reason) {
  Result<Registers> at = registers();
  return {std::move(reason), at.has_value() ? *at : Registers{}};
}

}  // namespace

Result<std::unique_ptr<Vcpu>> createVcpu(const FileDescriptor& vm, std::shared_ptr<const HostFeatures> features,
                                         std::uint32_t index) {
  FileDescriptor vcpu(TRY(callIoctl(vm, KVM_CREATE_VCPU, static_cast<unsigned long>(index), "KVM_CREATE_VCPU")));
  Mapping shared = TRY(Mapping::ofFile(vcpu, 0, features->vcpuMappingBytes, Sharing::shared, Access::readWrite)
                           .during("mapping a vCPU"));
  return std::make_unique<KvmVcpu>(index, std::move(vcpu), std::move(shared), std::move(features));
}

}  // namespace qm::kvm
