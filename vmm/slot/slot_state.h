// Where a VMM is in its life, and which steps it may take.
//
//   unborn ──► blank ──► loading ──► paused ◄──► running
//                ▲          │  ▲        │
//                └──────────┘  └────────┘        from each of them: ended
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace qm::slot {

// The numbers are the page's (slot_fields.h): one that was given keeps its meaning.
enum class State : std::uint8_t {
  unborn = 0,   // the page was made; its process has not looked at it yet
  blank = 1,    // a process without a guest, which takes requests
  loading = 2,  // a guest is being booted, restored, or taken back to its template
  paused = 3,
  running = 4,
  ended = 5,  // for good
};
inline constexpr std::size_t kStates = 6;

// One step.
bool mayMove(State from, State to);
// Any number of steps, none too: what somebody may see who looks now and then.
bool mayHaveCome(State from, State to);

std::string_view name(State state);
std::optional<State> stateNumbered(std::uint64_t number);

}  // namespace qm::slot
