// What a hostile guest can do by ports, by name. A deed comes back when it is done, or not at all if it reset the
// machine.
#pragma once

#include <span>
#include <string_view>

namespace hostile {

struct PortDeed {
  std::string_view name;
  void (*act)();
};

std::span<const PortDeed> portDeeds();

}  // namespace hostile
