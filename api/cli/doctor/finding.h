// One thing that the doctor looked at.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace qm::cli {

struct Finding {
  enum class State : std::uint8_t {
    good,
    limited,  // it works, but slower, or with less around a VM
    missing,  // without it no VM runs
  };
  std::string what;
  State state = State::good;
  std::string found;
  std::string remedy;  // a sentence; empty when it is good
  bool operator==(const Finding&) const = default;
};

constexpr std::string_view name(Finding::State state) {
  switch (state) {
    case Finding::State::good:
      return "good";
    case Finding::State::limited:
      return "limited";
    case Finding::State::missing:
      return "missing";
  }
  return "unknown";
}

}  // namespace qm::cli
