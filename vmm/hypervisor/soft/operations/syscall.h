// SYSCALL SYSRET SYSENTER SYSEXIT (SDM 2).
// Modelled: all that IA-32e mode has of them, as Intel does it: no SYSCALL from 32-bit code. Not modelled: SYSENTER and
// SYSEXIT before IA-32e mode.
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> syscallLowerings();

}  // namespace qm::soft
