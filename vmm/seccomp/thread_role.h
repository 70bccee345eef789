// The kinds of threads that a VMM has, and how strictly each is held.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace qm::seccomp {

enum class Level : std::uint8_t {
  off,
  calls,      // the calls that this kind of thread makes
  arguments,  // these, with the arguments that it gives them
};

// Of a VMM: who answers the REST interface, who serves the devices and does what was asked for, who runs a vCPU.
enum class ThreadRole : std::uint8_t { api, loop, vcpu };
inline constexpr std::size_t kThreadRoles = 3;

std::string_view nameOf(ThreadRole role);

}  // namespace qm::seccomp
