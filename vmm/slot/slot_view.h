// What a slot page says, once it was checked: the reader's side. The VMM that wrote it may be anybody's by now, so a
// page that says what cannot be is refused whole, and what is left can lie within what is possible in that time only.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "vmm/result/result.h"
#include "vmm/slot/slot_fields.h"

namespace qm::slot {

struct Used {
  std::chrono::nanoseconds since{};  // the page was made
  std::chrono::nanoseconds cpu{};    // of the process
  std::uint64_t faults = 0;
  bool operator==(const Used&) const = default;
};

struct View {
  State state = State::unborn;
  std::uint64_t guests = 0;                      // begun in this process
  std::optional<std::chrono::nanoseconds> busy;  // how long the loop is at one piece of work; none: it waits
  std::uint64_t heartbeats = 0;
  std::uint64_t populated = 0;                     // pages
  std::array<std::optional<Used>, kMoments> used;  // none: it has not come to that moment
  // Of all vCPUs together.
  std::uint64_t instructions = 0;
  std::uint64_t decoded = 0;
  std::array<std::uint64_t, kExitKinds> exits{};

  const std::optional<Used>& at(Moment moment) const { return used[static_cast<std::size_t>(moment)]; }
  bool operator==(const View&) const = default;
};

// Steady clock; the copy was read before `now`. Pure. giveUp: it says what cannot be.
Result<View> checked(const Copy& copy, std::chrono::steady_clock::time_point madeAt,
                     std::chrono::steady_clock::time_point now);

// Whether a page that said `earlier` may say `later`: states by their table, and nothing counts backwards.
Status checkCourse(const View& earlier, const View& later);

}  // namespace qm::slot
