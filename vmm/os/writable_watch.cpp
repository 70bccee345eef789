#include "vmm/os/writable_watch.h"

#include <sys/epoll.h>

#include <cerrno>

namespace qm {

Result<WritableWatch> WritableWatch::create(const FileDescriptor& watched) {
  FileDescriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.isOpen()) return systemError("epoll_create1", errno);
  epoll_event event{};
  event.events = EPOLLOUT;
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, watched.get(), &event) < 0) return systemError("epoll_ctl", errno);
  return WritableWatch(std::move(epoll));
}

bool WritableWatch::isWritable() const {
  epoll_event event{};
  return ::epoll_wait(epoll_.get(), &event, 1, 0) == 1;
}

}  // namespace qm
