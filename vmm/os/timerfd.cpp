#include "vmm/os/timerfd.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "vmm/result/check.h"

namespace qm {

Result<Timerfd> Timerfd::create() {
  FileDescriptor file(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!file.isOpen()) return systemError("timerfd_create", errno);
  return Timerfd(std::move(file));
}

void Timerfd::setDeadline(std::chrono::steady_clock::time_point deadline) const {
  using std::chrono::nanoseconds;
  // steady_clock is CLOCK_MONOTONIC in libstdc++. A zero time would disarm, so the earliest is 1 ns.
  const std::int64_t ns =
      std::max<std::int64_t>(1, std::chrono::duration_cast<nanoseconds>(deadline.time_since_epoch()).count());
  itimerspec spec{};
  spec.it_value.tv_sec = ns / 1'000'000'000;
  spec.it_value.tv_nsec = ns % 1'000'000'000;
  CHECK(::timerfd_settime(file_.get(), TFD_TIMER_ABSTIME, &spec, nullptr) == 0);
}

void Timerfd::disarm() const {
  const itimerspec off{};
  CHECK(::timerfd_settime(file_.get(), 0, &off, nullptr) == 0);
}

void Timerfd::take() const {
  std::uint64_t fired = 0;
  [[maybe_unused]] const auto count = ::read(file_.get(), &fired, sizeof fired);
}

}  // namespace qm
