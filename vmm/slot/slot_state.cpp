#include "vmm/slot/slot_state.h"

#include <utility>

namespace qm::slot {

namespace {

// Bit n: to the state numbered n.
using Targets = std::uint8_t;

constexpr Targets to(State state) {
  return static_cast<Targets>(1U << static_cast<unsigned>(state));
}

// By the number of the state that is left.
constexpr std::array<Targets, kStates> kMoves{
    /* unborn  */ to(State::blank) | to(State::ended),
    /* blank   */ to(State::loading) | to(State::ended),
    /* loading */ to(State::paused) | to(State::blank) | to(State::ended),  // blank: it could not be loaded
    /* paused  */ to(State::running) | to(State::loading) | to(State::ended),
    /* running */ to(State::paused) | to(State::ended),
    /* ended   */ 0,
};

constexpr bool has(Targets targets, std::size_t number) {
  return ((targets >> number) & 1U) != 0;
}

// Which states can be reached from each, itself among them: steps are added until none adds anything.
constexpr std::array<Targets, kStates> reachable() {
  std::array<Targets, kStates> from{};
  for (std::size_t state = 0; state < kStates; ++state) from[state] = static_cast<Targets>(1U << state);
  for (std::size_t round = 0; round < kStates; ++round) {
    for (Targets& targets : from) {
      for (std::size_t over = 0; over < kStates; ++over) {
        if (has(targets, over)) targets = static_cast<Targets>(targets | kMoves[over]);
      }
    }
  }
  return from;
}

constexpr std::array<Targets, kStates> kReachable = reachable();

}  // namespace

bool mayMove(State from, State to) {
  return has(kMoves[static_cast<std::size_t>(from)], static_cast<std::size_t>(to));
}

bool mayHaveCome(State from, State to) {
  return has(kReachable[static_cast<std::size_t>(from)], static_cast<std::size_t>(to));
}

std::string_view name(State state) {
  switch (state) {
    case State::unborn:
      return "unborn";
    case State::blank:
      return "blank";
    case State::loading:
      return "loading";
    case State::paused:
      return "paused";
    case State::running:
      return "running";
    case State::ended:
      return "ended";
  }
  std::unreachable();
}

std::optional<State> stateNumbered(std::uint64_t number) {
  if (number >= kStates) return std::nullopt;
  return static_cast<State>(number);
}

}  // namespace qm::slot
