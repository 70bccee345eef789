// What bodies of the integer families share: immediates, and the flags of the host's own instructions.
#pragma once

#include <cstdint>

#include "vmm/hypervisor/soft/cpu/address.h"
#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/soft/memory/access.h"

namespace qm::soft {

template <class T>
inline T immediateOf(const Operation& op) {
  return static_cast<T>(op.immediate);
}

}  // namespace qm::soft
