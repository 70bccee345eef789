// keep-vms: keeps a few VMs of KVM open for as long as the lab runs, so that none of the lab's commands makes the first
// or ends the last. Says nothing, and ends only when a call fails, with 1.
//
// Why: KVM counts by static keys whether there is any vCPU at all, any without a local APIC in the kernel, any whose
// APIC is off in hardware or in software (Linux 6.1, virt/kvm/kvm_main.c, arch/x86/kvm/lapic.c, x86.c), and a key whose
// count leaves or reaches zero patches code, the scheduler's among it: int3, the tail, then the first byte. QEMU 7.2
// with a thread for each CPU may run that int3 for ever: a CPU translated it while another took it back, and what was
// translated was not yet known to belong to the page that changed. Both CPUs then stand still with interrupts off. 3
// labs of 3 stood still within 120 starts of bench/start's floor; with these VMs 2,000 in a row ran.
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main() {
  const int device = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  if (device < 0) return 1;

  // A vCPU without a local APIC in the kernel.
  const int bare = ioctl(device, KVM_CREATE_VM, 0);
  if (bare < 0 || ioctl(bare, KVM_CREATE_VCPU, 0) < 0) return 1;

  // One whose APIC is off in software, as after a reset, and one whose APIC is off in hardware.
  const int whole = ioctl(device, KVM_CREATE_VM, 0);
  if (whole < 0 || ioctl(whole, KVM_CREATE_IRQCHIP, 0) != 0) return 1;
  const int offInSoftware = ioctl(whole, KVM_CREATE_VCPU, 0);
  const int offInHardware = ioctl(whole, KVM_CREATE_VCPU, 1);
  if (offInSoftware < 0 || offInHardware < 0) return 1;
  constexpr __u64 kApicEnabled = 1U << 11U;  // IA32_APIC_BASE, SDM volume 3, 11.4.3
  kvm_sregs registers{};
  if (ioctl(offInHardware, KVM_GET_SREGS, &registers) != 0) return 1;
  registers.apic_base &= ~kApicEnabled;
  if (ioctl(offInHardware, KVM_SET_SREGS, &registers) != 0) return 1;

  pause();
  return 1;
}
