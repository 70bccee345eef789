#include "vmm/seccomp/thread_role.h"

#include <utility>

namespace qm::seccomp {

std::string_view nameOf(ThreadRole role) {
  switch (role) {
    case ThreadRole::api:
      return "api";
    case ThreadRole::loop:
      return "loop";
    case ThreadRole::vcpu:
      return "vcpu";
  }
  std::unreachable();
}

}  // namespace qm::seccomp
