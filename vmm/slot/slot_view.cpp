#include "vmm/slot/slot_view.h"

#include <algorithm>
#include <string>

namespace qm::slot {

namespace {

using std::chrono::nanoseconds;
using TimePoint = std::chrono::steady_clock::time_point;

// More than any processor that runs one of our threads does in a nanosecond.
constexpr std::uint64_t kMostInNanosecond = 16;
// Threads of a VMM that may run at once: one a vCPU, the loop's, the API's.
constexpr std::uint64_t kThreads = kVcpus + 2;

Error refused(const std::string& what) {
  return {Remedy::giveUp, "the VM's slot page " + what};
}

// What is possible, since the page was made.
struct Bounds {
  std::uint64_t madeAt, now;

  std::uint64_t age() const { return now - madeAt; }
  bool hasTime(std::uint64_t time) const { return time >= madeAt && time <= now; }
  bool hasCount(std::uint64_t count) const { return count / kMostInNanosecond <= age(); }
  // The kernel counts in units of its own and rounds: a little more than all threads all the time.
  bool hasCpu(std::uint64_t ns) const { return ns / kThreads <= age() + kGrain; }

  static constexpr std::uint64_t kGrain = 20'000'000;
};

Result<std::optional<Used>> readMark(const Mark<std::uint64_t>& mark, const Bounds& bounds) {
  if (mark.at == 0) return std::optional<Used>();
  if (!bounds.hasTime(mark.at) || !bounds.hasCpu(mark.cpuNs) || !bounds.hasCount(mark.faults))
    return refused("has a mark that cannot be");
  return std::optional(
      Used{.since = nanoseconds(mark.at - bounds.madeAt), .cpu = nanoseconds(mark.cpuNs), .faults = mark.faults});
}

// Each of them, where it was passed, after those before it, and with no less used.
Status readMarks(const Copy& copy, const Bounds& bounds, View& view) {
  Used before;
  for (std::size_t moment = 0; moment < kMoments; ++moment) {
    view.used[moment] = TRY(readMark(copy.loop.marks[moment], bounds));
    if (!view.used[moment]) continue;
    const Used& used = *view.used[moment];
    if (used.since < before.since || used.cpu < before.cpu || used.faults < before.faults)
      return refused("has marks that go backwards");
    before = used;
  }
  return {};
}

Status readCounts(const Copy& copy, const Bounds& bounds, View& view) {
  bool isPossible = bounds.hasCount(copy.loop.heartbeats) && bounds.hasCount(copy.loop.populated);
  for (const VcpusPart<std::uint64_t>& vcpu : copy.vcpus) {
    isPossible = isPossible && bounds.hasCount(vcpu.instructions) && bounds.hasCount(vcpu.decoded);
    for (std::size_t kind = 0; kind < kExitKinds; ++kind) {
      isPossible = isPossible && bounds.hasCount(vcpu.exits[kind]);
      view.exits[kind] += vcpu.exits[kind];
    }
    view.instructions += vcpu.instructions;
    view.decoded += vcpu.decoded;
  }
  if (!isPossible) return refused("counts more than there was time for");
  view.heartbeats = copy.loop.heartbeats;
  view.populated = copy.loop.populated;
  return {};
}

Status readState(const Copy& copy, const Bounds& bounds, View& view) {
  constexpr std::uint64_t kStateMask = (1U << kGuestShift) - 1;
  const auto state = stateNumbered(copy.loop.state & kStateMask);
  view.guests = copy.loop.state >> kGuestShift;
  if (!state || !bounds.hasCount(view.guests)) return refused("has no state that there is");
  if (view.guests == 0 && (*state == State::loading || *state == State::paused || *state == State::running))
    return refused("has a guest that was never begun");
  view.state = *state;
  if (copy.loop.busySince == 0) return {};
  if (!bounds.hasTime(copy.loop.busySince)) return refused("has a heartbeat of another time");
  view.busy = nanoseconds(bounds.now - copy.loop.busySince);
  return {};
}

std::uint64_t nanosecondsOf(TimePoint time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

}  // namespace

Result<View> checked(const Copy& copy, TimePoint madeAt, TimePoint now) {
  if (copy.maker.magic != kMagic || copy.maker.version != kVersion) return refused("is spoilt");
  const Bounds bounds{.madeAt = nanosecondsOf(madeAt), .now = std::max(nanosecondsOf(now), nanosecondsOf(madeAt))};
  View view;
  TRY(readState(copy, bounds, view));
  TRY(readMarks(copy, bounds, view));
  TRY(readCounts(copy, bounds, view));
  return view;
}

Status checkCourse(const View& earlier, const View& later) {
  const bool goesOn = later.guests == earlier.guests ? mayHaveCome(earlier.state, later.state)
                                                     : later.guests > earlier.guests && earlier.state != State::ended;
  if (!goesOn)
    return refused("went from " + std::string(name(earlier.state)) + " to " + std::string(name(later.state)));
  bool countsOn = later.instructions >= earlier.instructions && later.decoded >= earlier.decoded &&
                  later.heartbeats >= earlier.heartbeats;
  for (std::size_t kind = 0; kind < kExitKinds; ++kind) countsOn = countsOn && later.exits[kind] >= earlier.exits[kind];
  return countsOn ? Status() : refused("counts backwards");
}

}  // namespace qm::slot
