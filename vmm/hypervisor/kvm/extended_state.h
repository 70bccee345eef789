// The XSAVE area: reading it out of KVM's larger buffer, and normalising it.
#pragma once

#include <cstddef>
#include <span>

#include "vmm/hypervisor/state.h"

namespace qm::kvm {

// Clears what XSTATE_BV says is in its initial state: the CPU does not define those bytes, so two saves of one state
// could differ. MXCSR is kept with SSE or without (SDM 1, 13.6). `cpuid` (leaf 0xd) tells where the components lie.
void normaliseXsave(std::span<std::byte> area, const CpuidTable& cpuid);

// How many bytes of KVM's buffer the guest's components take: 576, or what leaf 0xd says of those in xcr0.
std::size_t usedXsaveBytes(const CpuidTable& cpuid);

}  // namespace qm::kvm
