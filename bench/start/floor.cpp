// The floor under every start of a VM on this host: a static program that opens KVM, creates a VM with one vCPU and
// 128 MiB, sets its state, runs it to a port write, says so with one byte on standard output, destroys it and ends.
// Speaks to KVM itself, and not through vmm/hypervisor, which makes a whole machine: interrupt controllers, a CPUID.
#include <linux/kvm.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>

#include "vmm/os/file_descriptor.h"
#include "vmm/os/ioctl.h"
#include "vmm/os/mapping.h"
#include "vmm/os/standard_streams.h"

namespace {

using namespace qm;

constexpr std::size_t kRamBytes = std::size_t{128} << 20;
constexpr std::size_t kCode = 0x1000;
constexpr std::array<std::byte, 2> kGuest{std::byte{0xe6}, std::byte{0x10}};  // out 0x10, al
// Where Intel's VMX may keep what it wants while a guest is in real mode: below the BIOS's place, where no RAM is.
constexpr unsigned long kTssAddress = 0xfffb'd000;

Status loadState(const FileDescriptor& vcpu) {
  kvm_sregs system{};
  TRY(callIoctl(vcpu, KVM_GET_SREGS, &system, "KVM_GET_SREGS"));
  system.cs.base = 0;
  system.cs.selector = 0;
  TRY(callIoctl(vcpu, KVM_SET_SREGS, &system, "KVM_SET_SREGS"));
  kvm_regs registers{};
  registers.rip = kCode;
  registers.rflags = 2;  // the bit that is always set
  TRY(callIoctl(vcpu, KVM_SET_REGS, &registers, "KVM_SET_REGS"));
  return {};
}

Status runToPortWrite() {
  const FileDescriptor device = TRY(openFile("/dev/kvm", OpenMode::readWrite));
  const FileDescriptor vm(TRY(callIoctl(device, KVM_CREATE_VM, 0, "KVM_CREATE_VM")));
  TRY(callIoctl(vm, KVM_SET_TSS_ADDR, kTssAddress, "KVM_SET_TSS_ADDR"));
  const Mapping ram = TRY(Mapping::anonymous(kRamBytes));
  std::memcpy(ram.bytes().subspan(kCode).data(), kGuest.data(), kGuest.size());
  kvm_userspace_memory_region region{};
  region.memory_size = ram.bytes().size();
  region.userspace_addr = reinterpret_cast<std::uintptr_t>(ram.bytes().data());
  TRY(callIoctl(vm, KVM_SET_USER_MEMORY_REGION, &region, "KVM_SET_USER_MEMORY_REGION"));
  const FileDescriptor vcpu(TRY(callIoctl(vm, KVM_CREATE_VCPU, 0, "KVM_CREATE_VCPU")));
  const int bytes = TRY(callIoctl(device, KVM_GET_VCPU_MMAP_SIZE, 0, "KVM_GET_VCPU_MMAP_SIZE"));
  const Mapping page =
      TRY(Mapping::ofFile(vcpu, 0, static_cast<std::size_t>(bytes), Sharing::shared, Access::readWrite));
  TRY(loadState(vcpu));
  TRY(callIoctl(vcpu, KVM_RUN, 0, "KVM_RUN"));
  kvm_run exit{};
  std::memcpy(&exit, page.bytes().data(), sizeof exit);
  if (exit.exit_reason != KVM_EXIT_IO)
    return Error(Remedy::giveUp, "the guest did something else than to write a port");
  writeStandard(StandardStream::output, std::array{std::byte{'.'}});
  return {};
}

}  // namespace

int main() {
  const Status done = runToPortWrite();
  if (done.has_value()) return 0;
  (void)std::fprintf(stderr, "start-floor: %s\n", done.error().text().c_str());
  return 1;
}
