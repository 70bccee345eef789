#include "tests/differ/guest_machine.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "tests/differ/guest_memory_image.h"
#include "tests/differ/harness.h"
#include "tests/differ/slot_image.h"
#include "tests/differ/watchdog.h"
#include "vmm/hypervisor/cpu_template/cpu_template.h"
#include "vmm/os/mapping.h"
#include "vmm/result/check.h"

namespace qm::differ {

namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 10s;  // far above what any batch needs, also under sanitizers

// One VM that is ready to run cases. Not to be used after anything but a finished batch.
class CaseGuest {
 public:
  static Result<std::unique_ptr<CaseGuest>> start(Hypervisor& hypervisor, std::span<const std::uint8_t> readOnlyPage);

  std::span<std::uint8_t> slot(std::size_t index) {
    return sandbox().subspan(slotAddress(index) - kSandbox, kSlotBytes);
  }
  // Runs the slots from `first` up to before `end`; what went wrong, if not all of them ended.
  std::optional<std::string> run(std::size_t first, std::size_t end);
  // The slot that was running.
  std::size_t current() const;

 private:
  CaseGuest(Mapping ram, std::unique_ptr<Vm> vm, std::unique_ptr<Vcpu> vcpu)
      : ram_(std::move(ram)), vm_(std::move(vm)), vcpu_(std::move(vcpu)), watchdog_(*vcpu_, kPatience) {}
  static std::span<std::uint8_t> bytesOf(const Mapping& ram) {
    return {reinterpret_cast<std::uint8_t*>(ram.bytes().data()), ram.bytes().size()};
  }
  std::span<std::uint8_t> sandbox() const { return bytesOf(ram_).subspan(kSandboxInRam, kSandboxBytes); }
  std::string describe(const VcpuExit& exit);

  Mapping ram_;  // outlives the VM
  std::unique_ptr<Vm> vm_;
  std::unique_ptr<Vcpu> vcpu_;
  Watchdog watchdog_;
};

Result<std::unique_ptr<CaseGuest>> CaseGuest::start(Hypervisor& hypervisor,
                                                    std::span<const std::uint8_t> readOnlyPage) {
  Mapping ram = TRY(Mapping::anonymous(kRamBytes));
  writeKernel(bytesOf(ram), readOnlyPage);
  std::unique_ptr<Vm> vm = TRY(hypervisor.createVm(PitModel::absent));
  TRY(vm->setMemory({.index = 0, .start = {0}, .host = ram.bytes()}));
  std::unique_ptr<Vcpu> vcpu = TRY(vm->createVcpu(0));
  const CpuidTable supported = TRY(hypervisor.supportedCpuid());
  // As much as the host has, for that is what cases are made of.
  Result<CpuidTable> offered = applyCpuTemplate("qm-v3-sha", supported, 0, 1);
  if (!offered.has_value()) offered = applyCpuTemplate("qm-v3", supported, 0, 1);
  if (!offered.has_value()) offered = TRY(applyCpuTemplate(kDefaultCpuTemplate, supported, 0, 1));
  TRY(vcpu->setCpuid(*offered));
  const SystemRegisters reset = TRY(vcpu->systemRegisters());
  TRY(vcpu->setRegisters(kernelRegisters(), kernelSystemRegisters(reset)));
  return std::unique_ptr<CaseGuest>(new CaseGuest(std::move(ram), std::move(vm), std::move(vcpu)));
}

std::optional<std::string> CaseGuest::run(std::size_t first, std::size_t end) {
  const Control control{.current = slotAddress(first),
                        .end = slotAddress(end),
                        .exit = guestExitAddress(),
                        .epilogue = epilogueAddress(),
                        .hasAvx = hostHasAvx() ? 1U : 0U};
  std::memcpy(sandbox().subspan(kControl - kSandbox).data(), &control, sizeof control);
  vm_->deviceWrote({kSandboxInRam + (control.current - kSandbox)}, control.end - control.current);
  vm_->deviceWrote({kSandboxInRam + (kControl - kSandbox)}, sizeof control);
  watchdog_.start();
  const VcpuExit exit = vcpu_->run();
  if (watchdog_.stop()) return "hangs: " + describe(exit);
  const auto* write = std::get_if<IoWrite>(&exit);
  if (write != nullptr && write->port == DIFFER_DONE_PORT && current() == end) return {};
  return describe(exit);
}

std::size_t CaseGuest::current() const {
  Control control;
  std::memcpy(&control, sandbox().subspan(kControl - kSandbox).data(), sizeof control);
  // The guest's word: what it says must be a slot.
  const std::uint64_t slot = (control.current - kFirstSlot) / kSlotBytes;
  return slot <= kSlots ? slot : kSlots;
}

std::string CaseGuest::describe(const VcpuExit& exit) {
  const Result<Registers> registers = vcpu_->registers();
  const std::string where =
      registers.has_value() ? fmt::format("rip {:x}, rsp {:x}", registers->rip, registers->rsp) : "no registers";
  if (const auto* fault = std::get_if<Fault>(&exit))
    return fmt::format("the backend gave up: {} ({})", fault->reason, where);
  if (const auto* write = std::get_if<IoWrite>(&exit)) {
    const bool isException = write->port == DIFFER_FAULT_PORT;
    return isException ? fmt::format("vector {} in the kernel or the harness ({})", write->value & 0xffU, where)
                       : fmt::format("write of {:#x} to port {:#x} ({})", write->value, write->port, where);
  }
  return fmt::format("exit {} ({})", exit.index(), where);
}

class GuestMachine final : public Machine {
 public:
  GuestMachine(Hypervisor& hypervisor, const Generator& generator)
      : hypervisor_(hypervisor), readOnlyPage_(generator.background().last(kPage)) {}

  std::string name() const override { return hypervisor_.name(); }
  Status run(std::span<const Case> cases, std::span<Ending> endings) override;
  Status restart();

 private:
  Hypervisor& hypervisor_;
  std::span<const std::uint8_t> readOnlyPage_;
  std::unique_ptr<CaseGuest> guest_;
};

Status GuestMachine::restart() {
  guest_ = {};
  guest_ = TRY(CaseGuest::start(hypervisor_, readOnlyPage_));
  return {};
}

Status GuestMachine::run(std::span<const Case> cases, std::span<Ending> endings) {
  CHECK(!cases.empty() && cases.size() == endings.size());
  const std::size_t first = cases.front().seed.slot();
  // A case that breaks the machine is left out of the next round.
  for (std::size_t done = 0; done < cases.size();) {
    for (std::size_t i = done; i < cases.size(); ++i) {
      CHECK(cases[i].seed.slot() == first + i);
      writeSlot(cases[i], guest_->slot(first + i));
    }
    const std::optional<std::string> broken = guest_->run(first + done, first + cases.size());
    // Of a broken machine, the case that it was at; it may have passed the last one.
    const std::size_t last = cases.size() - 1;
    const std::size_t reached =
        broken ? std::clamp(guest_->current(), first + done, first + last) - first : cases.size();
    for (; done < reached; ++done) readSlot(guest_->slot(first + done), outcomeIn(endings[done]));
    if (!broken) break;
    endings[done++] = Broken{*broken};
    TRY(restart());
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Machine>> openGuest(Hypervisor& hypervisor, const Generator& generator) {
  auto machine = std::make_unique<GuestMachine>(hypervisor, generator);
  TRY(machine->restart().during("starting a guest for cases"));
  return machine;
}

}  // namespace qm::differ
