// Model-specific registers by the manuals' names. SDM 4, chapter 2; AMD APM 2, appendix A; Linux,
// Documentation/virt/kvm/x86/msr.rst.
#pragma once

#include <cstdint>

namespace qm::soft {

enum class Msr : std::uint32_t {
  IA32_TIME_STAMP_COUNTER = 0x10,
  IA32_PLATFORM_ID = 0x17,
  IA32_APIC_BASE = 0x1b,
  IA32_TSC_ADJUST = 0x3b,
  IA32_BIOS_SIGN_ID = 0x8b,  // the microcode's revision; AMD: PATCH_LEVEL
  MSR_PLATFORM_INFO = 0xce,
  IA32_MTRRCAP = 0xfe,
  MSR_MISC_FEATURES_ENABLES = 0x140,
  IA32_SYSENTER_CS = 0x174,
  IA32_SYSENTER_ESP = 0x175,
  IA32_SYSENTER_EIP = 0x176,
  IA32_MCG_CAP = 0x179,
  IA32_MCG_STATUS = 0x17a,
  IA32_MISC_ENABLE = 0x1a0,
  IA32_DEBUGCTL = 0x1d9,
  IA32_MTRR_PHYSBASE0 = 0x200,  // and PHYSMASK0, in pairs
  IA32_MTRR_FIX64K_00000 = 0x250,
  IA32_MTRR_FIX16K_80000 = 0x258,
  IA32_MTRR_FIX16K_A0000 = 0x259,
  IA32_MTRR_FIX4K_C0000 = 0x268,  // eight of them
  IA32_PAT = 0x277,
  IA32_MTRR_DEF_TYPE = 0x2ff,
  IA32_MC0_CTL = 0x400,  // four registers a bank
  IA32_TSC_DEADLINE = 0x6e0,
  IA32_X2APIC_FIRST = 0x800,
  IA32_X2APIC_LAST = 0x8ff,
  IA32_EFER = 0xc000'0080,
  IA32_STAR = 0xc000'0081,
  IA32_LSTAR = 0xc000'0082,
  IA32_CSTAR = 0xc000'0083,
  IA32_FMASK = 0xc000'0084,
  IA32_FS_BASE = 0xc000'0100,
  IA32_GS_BASE = 0xc000'0101,
  IA32_KERNEL_GS_BASE = 0xc000'0102,
  IA32_TSC_AUX = 0xc000'0103,
  // KVM's; the first two are the old numbers of the others.
  MSR_KVM_WALL_CLOCK = 0x11,
  MSR_KVM_SYSTEM_TIME = 0x12,
  MSR_KVM_WALL_CLOCK_NEW = 0x4b56'4d00,
  MSR_KVM_SYSTEM_TIME_NEW = 0x4b56'4d01,
  // AMD's.
  SYSCFG = 0xc001'0010,
  HWCR = 0xc001'0015,
  DE_CFG = 0xc001'1029,
};

}  // namespace qm::soft
