#include "vmm/os/wait.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "vmm/result/check.h"

namespace qm {

namespace {

Status waitFor(const FileDescriptor& file, short events, std::chrono::steady_clock::time_point deadline) {
  using std::chrono::milliseconds;
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left <= milliseconds::zero()) return Error(Remedy::retry, "the deadline is past");
    pollfd asked{.fd = file.get(), .events = events, .revents = 0};
    // A far deadline is waited for in steps of an hour.
    const auto step = std::min<milliseconds>(left, std::chrono::hours(1));
    const int ready = ::poll(&asked, 1, static_cast<int>(step.count()));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return systemError("poll", errno);
  }
}

}  // namespace

Status waitReadable(const FileDescriptor& file, std::chrono::steady_clock::time_point deadline) {
  return waitFor(file, POLLIN, deadline);
}

Status waitWritable(const FileDescriptor& file, std::chrono::steady_clock::time_point deadline) {
  return waitFor(file, POLLOUT, deadline);
}

WhichFirst waitForEither(const FileDescriptor& first, const FileDescriptor& second) {
  std::array<pollfd, 2> asked{pollfd{.fd = first.get(), .events = POLLIN, .revents = 0},
                              pollfd{.fd = second.get(), .events = POLLIN, .revents = 0}};
  for (;;) {
    const int ready = ::poll(asked.data(), asked.size(), -1);
    CHECK(ready >= 0 || errno == EINTR);
    if (ready > 0) return asked[0].revents != 0 ? WhichFirst::first : WhichFirst::second;
  }
}

}  // namespace qm
