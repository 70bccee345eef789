// CPUID: what a guest can be offered, and what the instruction answers.
//
// The identity is that of an Intel "Saltwell" Atom (family 6, model 0x36): in-order, so Linux knows that it speculates
// nothing (arch/x86/kernel/cpu/common.c, cpu_vuln_whitelist: NO_SPECULATION) and switches on no mitigation at all: no
// page-table isolation, no retpolines, no fences after SWAPGS. None would protect anything here, where the boundary
// between tenants is the process. An AMD identity has no Meltdown either, but brings retpolines and three workarounds
// of its own (SYSRET's SS, FXSAVE's pointers, null segments' bases). What a snapshot's guest saw stays what it sees,
// whoever it is restored by.
#pragma once

#include <cstdint>

#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/state.h"
#include "vmm/result/result.h"

namespace qm::soft {

// Whether this host's CPU has the instructions that every guest's are done with: x86-64-v2. giveUp names those missing.
Status checkHost();

// Every leaf there is. What is done with the host's own instructions is offered where the host has them.
CpuidTable supportedCpuid();

// The guest's table from here on, and what follows from it: the width of physical addresses, the states of XCR0.
void setGuestCpuid(Cpu& cpu, const CpuidTable& table);

struct CpuidAnswer {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  bool operator==(const CpuidAnswer&) const = default;
};
// SDM 2A, CPUID: with the bits that mirror registers (OSXSAVE, APIC, the size of the XSAVE area). Leaves beyond the
// last are the last basic one for Intel's kind, zeros for others; absent ones within are zeros.
CpuidAnswer readCpuid(const Cpu& cpu, std::uint32_t leaf, std::uint32_t subleaf);

}  // namespace qm::soft
