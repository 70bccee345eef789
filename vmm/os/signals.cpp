#include "vmm/os/signals.h"

#include <signal.h>
#include <sys/signalfd.h>

#include <cerrno>

#include "vmm/result/check.h"

namespace qm {

namespace {

sigset_t setOf(std::initializer_list<int> numbers) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : numbers) CHECK(sigaddset(&set, number) == 0);
  return set;
}

}  // namespace

void blockSignals(std::initializer_list<int> numbers) {
  const sigset_t set = setOf(numbers);
  CHECK(::pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
}

int waitForSignal(std::initializer_list<int> numbers) {
  const sigset_t set = setOf(numbers);
  int arrived = 0;
  CHECK(::sigwait(&set, &arrived) == 0);
  return arrived;
}

Result<FileDescriptor> watchSignals(std::initializer_list<int> numbers) {
  const sigset_t set = setOf(numbers);
  FileDescriptor file(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!file.isOpen()) return systemError("signalfd", errno);
  return file;
}

}  // namespace qm
