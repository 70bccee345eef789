#include "vmm/hypervisor/soft/chips/apic_timer.h"

#include <algorithm>

#include "vmm/hypervisor/soft/chips/tsc_time.h"

namespace qm::soft {

namespace {

constexpr std::uint32_t kDivideBits = 0xb;  // SDM 3A figure 11-10: bits 0, 1 and 3

}  // namespace

// 2, 4, 8 … 128, and then 1.
unsigned ApicTimer::divider() const {
  const unsigned selected = (divide_ & 3U) | (divide_ >> 1U & 4U);
  return 1U << ((selected + 1U) & 7U);
}

std::uint64_t ApicTimer::tscTicks(std::uint32_t count) const {
  return scaleUp(std::uint64_t{count} * divider(), tscKhz_, kNsPerMs);
}

void ApicTimer::start(std::uint32_t count, std::uint64_t tsc) {
  isArmed_ = count != 0;
  expiry_ = addSaturated(tsc, tscTicks(count));
}

// With a count that currentCount() rounded up: rounded down, so that it is the same count when it is read again.
void ApicTimer::goOn(std::uint32_t count, std::uint64_t tsc) {
  isArmed_ = count != 0;
  expiry_ = addSaturated(tsc, scaleDown(std::uint64_t{count} * divider(), tscKhz_, kNsPerMs));
}

bool ApicTimer::runOut(std::uint64_t tsc) {
  if (!isArmed_ || tsc < expiry_) return false;
  if (mode_ != TimerMode::periodic) {
    isArmed_ = false;
    return true;
  }
  const std::uint64_t period = tscTicks(initialCount_);
  const std::uint64_t missed = (tsc - expiry_) / period;
  expiry_ = addSaturated(expiry_ + missed * period, period);
  return true;
}

void ApicTimer::setMode(TimerMode mode, std::uint64_t tsc) {
  if (mode == mode_) return;
  const bool counted = counts();
  mode_ = mode;
  if (!counted || !counts()) {
    isArmed_ = false;
    initialCount_ = 0;
  } else if (!isArmed_ && mode == TimerMode::periodic) {
    start(initialCount_, tsc);
  }
}

void ApicTimer::setInitialCount(std::uint32_t count, std::uint64_t tsc) {
  if (!counts()) return;
  initialCount_ = count;
  start(count, tsc);
}

std::uint32_t ApicTimer::currentCount(std::uint64_t tsc) const {
  if (!isArmed_ || !counts() || tsc >= expiry_) return 0;
  const std::uint64_t left = scaleUp(expiry_ - tsc, kNsPerMs, std::uint64_t{tscKhz_} * divider());
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(left, initialCount_));
}

void ApicTimer::setDivide(std::uint32_t configuration, std::uint64_t tsc) {
  const std::uint32_t left = currentCount(tsc);
  divide_ = configuration & kDivideBits;
  if (left != 0) goOn(left, tsc);
}

void ApicTimer::setDeadline(std::uint64_t deadline) {
  if (mode_ != TimerMode::tscDeadline) return;
  isArmed_ = deadline != 0;
  expiry_ = deadline;
}

void ApicTimer::moveTsc(std::uint64_t from, std::uint64_t to) {
  if (!isArmed_ || !counts()) return;
  expiry_ = addSaturated(to, expiry_ - std::min(from, expiry_));
}

void ApicTimer::load(TimerMode mode, std::uint32_t divide, std::uint32_t initial, std::uint32_t current,
                     std::uint64_t tsc) {
  reset();
  mode_ = mode;
  divide_ = divide & kDivideBits;
  if (!counts()) return;
  initialCount_ = initial;
  if (current == 0 && mode == TimerMode::periodic) {
    start(initial, tsc);
  } else {
    goOn(std::min(current, initial), tsc);
  }
}

}  // namespace qm::soft
