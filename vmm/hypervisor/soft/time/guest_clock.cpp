#include "vmm/hypervisor/soft/time/guest_clock.h"

#include <algorithm>

#include "vmm/hypervisor/soft/chips/tsc_time.h"
#include "vmm/result/check.h"

namespace qm::soft {

namespace {

constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
constexpr std::uint32_t kInstructionsKhz = 1'000'000;  // an instruction is a nanosecond
// When a guest that counts instructions believes that it booted: the first of January 2024, UTC.
constexpr std::uint64_t kInstructionsBootNs = 1'704'067'200 * kNsPerSecond;

}  // namespace

// The multiplier has its top bit set, so that 31 bits of it count.
TickScale tickScaleOf(std::uint32_t khz) {
  CHECK(khz != 0);
  const std::uint64_t hz = std::uint64_t{khz} * 1000;
  unsigned left = 0, right = 0;
  while ((hz << left) >> right > 2 * kNsPerSecond) ++right;
  while (hz << left <= kNsPerSecond) ++left;
  const Wide multiplier = (Wide{kNsPerSecond} << (32U + right)) / (hz << left);
  return {.multiplier = static_cast<std::uint32_t>(std::min<Wide>(multiplier, 0xffff'ffff)),
          .shift = static_cast<std::int8_t>(static_cast<int>(left) - static_cast<int>(right))};
}

std::uint64_t nanosecondsOf(std::uint64_t ticks, TickScale scale) {
  const auto by = static_cast<unsigned>(scale.shift < 0 ? -scale.shift : scale.shift);
  const std::uint64_t shifted = scale.shift < 0 ? ticks >> by : ticks << by;
  return static_cast<std::uint64_t>(Wide{shifted} * scale.multiplier >> 32U);
}

GuestClock::GuestClock(SoftClock kind, HostCounter host)
    : kind_(kind),
      host_(kind == SoftClock::host ? host : HostCounter{.khz = kInstructionsKhz}),
      tscKhz_(host_.khz),
      scale_(tickScaleOf(host_.khz)),
      counterOrigin_(kind == SoftClock::host ? readCounter(host_.source) : 0) {}

void GuestClock::setTscKhz(std::uint32_t tscKhz) {
  if (tscKhz == 0 || tscKhz == tscKhz_) return;
  origin_ = {.ticks = 0, .guestNs = guestNs()};
  counterOrigin_ = kind_ == SoftClock::host ? readCounter(host_.source) : lastCount();
  tscKhz_ = tscKhz;
  scale_ = tickScaleOf(tscKhz);
  ratio_ = tscKhz == host_.khz ? 0 : static_cast<std::uint64_t>((Wide{tscKhz} << kRatioBits) / host_.khz);
  sharedOffset_.reset();
  noteChange();
}

std::uint64_t GuestClock::guestNs() const {
  return origin_.guestNs + nanosecondsOf(ticks() - origin_.ticks, scale_);
}

std::uint64_t GuestClock::realtimeNs() const {
  if (kind_ == SoftClock::instructions) return kInstructionsBootNs + guestNs();
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

Clock GuestClock::save() const {
  return {.guestNs = guestNs(), .realtimeNs = realtimeNs()};
}

std::uint64_t GuestClock::load(const Clock& clock) {
  std::uint64_t moved = 0;
  if (kind_ == SoftClock::instructions && ratio_ == 0) {
    moved = clock.guestNs - guestNs();
    skipped_ += moved;
    lastCount_.fetch_add(moved, std::memory_order_relaxed);
    if (sharedOffset_) *sharedOffset_ -= moved;
  } else {
    origin_ = {.ticks = ticks(), .guestNs = clock.guestNs};
  }
  noteChange();
  return moved;
}

void GuestClock::noteChange() {
  if (++generation_ == 0) generation_ = 1;
}

std::uint64_t GuestClock::offsetFor(std::uint32_t index, std::uint64_t tsc) {
  const std::uint64_t own = tsc - ticks();
  const std::uint64_t second = std::uint64_t{tscKhz_} * 1000;
  const bool agrees = index != 0 && sharedOffset_ && own - *sharedOffset_ + second <= 2 * second;
  if (agrees) return *sharedOffset_;
  if (index == 0 || !sharedOffset_) sharedOffset_ = own;
  return own;
}

std::uint64_t readTsc(Cpu& cpu) {
  GuestClock& clock = cpu.around.clock;
  if (clock.kind_ == SoftClock::host) [[likely]]
    return clock.ticks() + cpu.system.tscOffset;
  const std::uint64_t count =
      cpu.instructions + static_cast<std::uint64_t>(cpu.budgetGiven - cpu.budget) + clock.skipped_;
  clock.lastCount_.store(count, std::memory_order_relaxed);
  return clock.ticksAt(count) + cpu.system.tscOffset;
}

std::chrono::steady_clock::time_point steadyTimeOf(Cpu& cpu, std::uint64_t tsc) {
  constexpr std::uint64_t kDayNs = 86'400 * kNsPerSecond;
  const auto now = std::chrono::steady_clock::now();
  const std::uint64_t at = readTsc(cpu);
  if (tsc <= at) return now;
  const std::uint64_t ns = scaleUp(tsc - at, kNsPerMs, cpu.around.clock.tscKhz());
  return now + std::chrono::nanoseconds(std::min(ns, kDayNs));
}

void skipTo(Cpu& cpu, std::uint64_t tsc) {
  GuestClock& clock = cpu.around.clock;
  const std::uint64_t at = readTsc(cpu);
  if (tsc <= at) return;
  clock.skipped_ += scaleUp(tsc - at, clock.host_.khz, clock.tscKhz_);
  if (readTsc(cpu) < tsc) ++clock.skipped_;  // both roundings were down
  readTsc(cpu);
}

std::uint64_t instructionsUntil(Cpu& cpu, std::uint64_t tsc) {
  const GuestClock& clock = cpu.around.clock;
  const std::uint64_t at = readTsc(cpu);
  if (tsc <= at) return 0;
  return std::max<std::uint64_t>(1, scaleDown(tsc - at, clock.host_.khz, clock.tscKhz_));
}

std::optional<std::uint64_t> alarmTsc(Cpu& cpu) {
  const GuestClock& clock = cpu.around.clock;
  if (clock.kind_ == SoftClock::host || !clock.alarmNs_) [[likely]]
    return std::nullopt;
  const std::uint64_t now = readTsc(cpu);  // from here on the clock's ticks are this moment's
  const std::uint64_t sinceOrigin = *clock.alarmNs_ - std::min(*clock.alarmNs_, clock.origin_.guestNs);
  const std::uint64_t at = addSaturated(clock.origin_.ticks, scaleUp(sinceOrigin, clock.tscKhz_, kNsPerMs));
  return addSaturated(now, at - std::min(at, clock.ticks()));
}

bool takeAlarm(Cpu& cpu) {
  const std::optional<std::uint64_t> at = alarmTsc(cpu);
  if (!at || *at > readTsc(cpu)) [[likely]]
    return false;
  cpu.around.clock.alarmNs_.reset();
  return true;
}

void timerChanged(Cpu& cpu) {
  if (cpu.around.clock.kind() == SoftClock::instructions) cpu.attention.store(true, std::memory_order_relaxed);
}

}  // namespace qm::soft
