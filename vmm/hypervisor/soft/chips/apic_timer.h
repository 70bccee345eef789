// The local APIC's timer, SDM 3A 11.5.4: one-shot, periodic, TSC deadline. Its bus clock is 1 GHz, as KVM's, so a count
// is nanoseconds before the divider.
//
// Modelled: the three modes, the divider, changes of mode and divider while it counts. The reserved fourth mode does
// not count. Periods that were missed are one. A moment is a value of the vCPU's TSC, which does not wrap.
#pragma once

#include <cstdint>
#include <optional>

namespace qm::soft {

enum class TimerMode : std::uint8_t { oneShot = 0, periodic = 1, tscDeadline = 2, reserved = 3 };

class ApicTimer {
 public:
  explicit ApicTimer(std::uint32_t tscKhz) : tscKhz_(tscKhz) {}

  void setTscKhz(std::uint32_t tscKhz) { tscKhz_ = tscKhz; }
  // Everything but the frequency as after power-up.
  void reset() { *this = ApicTimer(tscKhz_); }

  // Whether it ran out at or before `tsc`, and has not said so yet.
  bool runOut(std::uint64_t tsc);
  // When it runs out next; nothing: it stands.
  std::optional<std::uint64_t> expiry() const { return isArmed_ ? std::optional(expiry_) : std::nullopt; }

  // Between the first two the count goes on, and a one-shot that has run out starts over as a periodic one, which never
  // stands: that is also how a snapshot of it is read. Any other change stops the timer.
  void setMode(TimerMode mode, std::uint64_t tsc);
  TimerMode mode() const { return mode_; }
  // 0 stops it. Without effect in modes that do not count.
  void setInitialCount(std::uint32_t count, std::uint64_t tsc);
  std::uint32_t initialCount() const { return initialCount_; }
  // Rounded up: 0 means that it has run out, or stands.
  std::uint32_t currentCount(std::uint64_t tsc) const;
  // The count that is left stays.
  void setDivide(std::uint32_t configuration, std::uint64_t tsc);
  std::uint32_t divide() const { return divide_; }
  // 0 disarms. Without effect in modes other than tscDeadline.
  void setDeadline(std::uint64_t deadline);
  std::uint64_t deadline() const { return mode_ == TimerMode::tscDeadline && isArmed_ ? expiry_ : 0; }
  // The TSC was set: a count keeps what it has left, a deadline its value.
  void moveTsc(std::uint64_t from, std::uint64_t to);

  // Of a count that goes on: the moment, which registers tell to a count only.
  void setExpiry(std::uint64_t tsc) {
    if (isArmed_ && counts()) expiry_ = tsc;
  }

  // What a snapshot's registers say. A one-shot that stands at 0 has fired already; a periodic one starts over.
  void load(TimerMode mode, std::uint32_t divide, std::uint32_t initial, std::uint32_t current, std::uint64_t tsc);

 private:
  bool counts() const { return mode_ == TimerMode::oneShot || mode_ == TimerMode::periodic; }
  unsigned divider() const;
  std::uint64_t tscTicks(std::uint32_t count) const;
  void start(std::uint32_t count, std::uint64_t tsc);
  void goOn(std::uint32_t count, std::uint64_t tsc);

  std::uint32_t tscKhz_;
  TimerMode mode_ = TimerMode::oneShot;
  std::uint32_t divide_ = 0;  // the register; 0 divides by 2
  std::uint32_t initialCount_ = 0;
  bool isArmed_ = false;
  std::uint64_t expiry_ = 0;
};

}  // namespace qm::soft
