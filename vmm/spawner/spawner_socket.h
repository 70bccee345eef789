// Where quickmatch-spawner finds its socket: whoever starts it gives it this number.
#pragma once

namespace qm::spawner {

inline constexpr int kSocketNumber = 3;

}  // namespace qm::spawner
