// Model-specific registers: RDMSR, WRMSR, and what a snapshot keeps of them. SDM 4, chapter 2; AMD APM 2, appendix A;
// Linux, Documentation/virt/kvm/x86/msr.rst for KVM's.
//
// Modelled: the TSC and its deadline, the APIC's base and x2APIC, EFER, SYSCALL and SYSENTER, segment bases, TSC_AUX,
// PAT, KVM's clock. Stored without effect: MTRRs, MISC_ENABLE's fast strings, MCG_STATUS. Read as constants, so that a
// kernel that looks without a net does not fall: microcode revision, platform information, an empty machine-check
// architecture, and the few that Linux reads of an AMD processor.
// Not modelled: everything else raises #GP, as it does on a processor that lacks the feature.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/state.h"
#include "vmm/result/result.h"

namespace qm::soft {

// The guest's accesses; the caller has checked CPL. False: #GP(0), which the caller raises; nothing was changed. A
// write may change mode, pages and guest memory: the block ends behind it.
bool readMsr(Cpu& cpu, std::uint32_t index, std::uint64_t& value);
bool writeMsr(Cpu& cpu, std::uint32_t index, std::uint64_t value);

// What a snapshot keeps, ascending: of the indexes that the KVM backend keeps those that exist here, and the MTRRs that
// are not as after power-up.
std::vector<MsrValue> saveMsrs(Cpu& cpu);
// IA32_TSC and IA32_TSC_ADJUST alone, which the APIC's timer needs before it is loaded. Nothing to do where they are
// not among `msrs`.
Status loadTsc(Cpu& cpu, std::span<const MsrValue> msrs);
// All others; the deadline after the local APIC. MSRs that KVM keeps and nothing here needs are dropped if their value
// does not matter; fixInput names one that does, or that is not known.
Status loadMsrs(Cpu& cpu, std::span<const MsrValue> msrs);

}  // namespace qm::soft
