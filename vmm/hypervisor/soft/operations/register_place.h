// The registers that instructions name by themselves, as places (Operation::to) and as numbers (Operation::base).
#pragma once

#include <cstdint>

namespace qm::soft {

namespace place {
inline constexpr std::uint8_t kAl = 0, kAx = 0, kRax = 0, kAh = 1, kCl = 8, kRcx = 8, kRdx = 16, kRbx = 24, kRsi = 48,
                              kRdi = 56;
}
namespace number {
inline constexpr std::uint8_t kRsi = 6, kRdi = 7;
}

}  // namespace qm::soft
