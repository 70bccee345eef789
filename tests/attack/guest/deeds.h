// What a hostile guest can do, by name. A deed comes back when it is done, or not at all if it broke its own kernel.
#pragma once

#include <span>
#include <string_view>

namespace hostile {

struct Deed {
  std::string_view name;
  void (*act)();
};

std::span<const Deed> registerDeeds();
std::span<const Deed> queueDeeds();
std::span<const Deed> channelDeeds();
std::span<const Deed> netDeeds();
std::span<const Deed> vsockDeeds();
std::span<const Deed> vsockRingDeeds();

}  // namespace hostile
