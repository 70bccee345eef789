// The road that a lease's VM came by.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace qm::pool {

enum class Road : std::uint8_t {
  ready,  // a clone that already ran, renewed and answered
  blank,  // restored into a process that was waiting
  spawn,  // restored into a process started for it
  boot,   // booted: no usable snapshot
};

inline constexpr std::array kRoads{Road::ready, Road::blank, Road::spawn, Road::boot};

constexpr std::string_view name(Road road) {
  switch (road) {
    case Road::ready:
      return "ready";
    case Road::blank:
      return "blank";
    case Road::spawn:
      return "spawn";
    case Road::boot:
      return "boot";
  }
  return "unknown";
}

constexpr std::optional<Road> roadNamed(std::string_view text) {
  for (const Road road : kRoads) {
    if (name(road) == text) return road;
  }
  return std::nullopt;
}

}  // namespace qm::pool
