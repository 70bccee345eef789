// Which KVM requests (ioctl(2)) each kind of thread of a VMM makes, for the filters of its system calls.
#pragma once

#include <cstdint>
#include <span>

namespace qm::kvm {

enum class Caller : std::uint8_t {
  loop,     // makes, saves and restores machines, and probes
  vcpu,     // runs one
  undoing,  // takes a machine apart
};

std::span<const std::uint32_t> requestsOf(Caller caller);

}  // namespace qm::kvm
