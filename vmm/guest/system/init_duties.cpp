#include "vmm/guest/system/init_duties.h"

#include <signal.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

#include "vmm/os/mapping.h"

namespace qm::guest {

Status tellBootTimer() {
  // vmm/devices/boot_timer; a guest links none of the devices.
  constexpr std::uint64_t kAddress = 0xc000'0000;
  constexpr std::uint8_t kInitRuns = 123;
  const FileDescriptor memory = TRY(openFile("/dev/mem", OpenMode::readWrite));
  // write(2) refuses what is not RAM; a mapping does not.
  const Mapping timer = TRY(Mapping::ofFile(memory, kAddress, pageBytes(), Sharing::shared, Access::readWrite));
  *reinterpret_cast<volatile std::uint8_t*>(timer.bytes().data()) = kInitRuns;
  return {};
}

Result<FileDescriptor> watchChildren() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGCHLD);
  if (::sigprocmask(SIG_BLOCK, &signals, nullptr) < 0) return systemError("sigprocmask", errno);
  FileDescriptor children(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!children.isOpen()) return systemError("signalfd", errno);
  return children;
}

void reapOrphans(const FileDescriptor& children, const std::function<bool(pid_t)>& isOwned) {
  // One signal may stand for several children: they are asked for, not counted.
  std::array<std::byte, sizeof(signalfd_siginfo)> signal;
  while (readSome(children, signal).has_value()) {
  }
  for (;;) {
    siginfo_t ended{};
    if (::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) < 0 || ended.si_pid == 0) return;
    if (!isOwned(ended.si_pid)) ::waitpid(ended.si_pid, nullptr, 0);
  }
}

Status restart() {
  ::sync();
  // The kernel's reboot=k pulses the i8042's reset line, which ends the VM.
  if (::reboot(RB_AUTOBOOT) < 0) return systemError("reboot", errno);
  return {};
}

}  // namespace qm::guest
