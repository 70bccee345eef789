#include "bench/load/epoll.h"

#include <sys/epoll.h>

#include <cerrno>

namespace qm::bench {

Result<Epoll> Epoll::create() {
  FileDescriptor file(::epoll_create1(EPOLL_CLOEXEC));
  if (!file.isOpen()) return systemError("epoll_create1", errno);
  return Epoll(std::move(file));
}

Status Epoll::watch(const FileDescriptor& file, std::uint64_t number) const {
  epoll_event event{.events = EPOLLIN | EPOLLRDHUP, .data = {.u64 = number}};
  if (::epoll_ctl(file_.get(), EPOLL_CTL_ADD, file.get(), &event) < 0) return systemError("epoll_ctl", errno);
  return {};
}

Result<std::span<const epoll_event>> Epoll::wait(std::span<epoll_event> events,
                                                 std::chrono::milliseconds atMost) const {
  const int count =
      ::epoll_wait(file_.get(), events.data(), static_cast<int>(events.size()), static_cast<int>(atMost.count()));
  if (count < 0 && errno != EINTR) return systemError("epoll_wait", errno);
  return std::span<const epoll_event>(events.first(static_cast<std::size_t>(std::max(count, 0))));
}

}  // namespace qm::bench
