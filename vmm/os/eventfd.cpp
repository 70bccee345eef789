#include "vmm/os/eventfd.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "vmm/result/check.h"

namespace qm {

Result<Eventfd> Eventfd::create() {
  FileDescriptor file(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!file.isOpen()) return systemError("eventfd", errno);
  return Eventfd(std::move(file));
}

void Eventfd::signal() const {
  const std::uint64_t one = 1;
  while (::write(file_.get(), &one, sizeof one) < 0) {
    if (errno == EAGAIN) return;
    CHECK(errno == EINTR);
  }
}

std::uint64_t Eventfd::take() const {
  std::uint64_t count = 0;
  while (::read(file_.get(), &count, sizeof count) < 0) {
    if (errno == EAGAIN) return 0;
    CHECK(errno == EINTR);
  }
  return count;
}

}  // namespace qm
