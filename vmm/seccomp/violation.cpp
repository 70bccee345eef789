#include "vmm/seccomp/violation.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <string_view>

#include "vmm/seccomp/compiled.h"
#include "vmm/seccomp/thread_role.h"

namespace qm::seccomp {

namespace {

// A line put together without the heap: the thread may have been anywhere.
class Line {
 public:
  void text(std::string_view words) {
    const std::size_t count = std::min(words.size(), bytes_.size() - used_);
    std::copy_n(words.begin(), count, bytes_.begin() + static_cast<std::ptrdiff_t>(used_));
    used_ += count;
  }
  void number(unsigned int value) {
    std::array<char, 10> digits{};
    std::size_t first = digits.size();
    do {
      digits.at(--first) = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value != 0);
    text(std::string_view(digits).substr(first));
  }
  std::string_view view() const { return std::string_view(bytes_.data(), used_); }

 private:
  std::array<char, 160> bytes_{};
  std::size_t used_ = 0;
};

// The compiler puts the role's number into the filter's answer, and the kernel hands it on as si_errno (seccomp(2),
// SECCOMP_RET_TRAP).
std::string_view roleNamed(int number) {
  if (number < 0 || number >= static_cast<int>(kThreadRoles)) return "unknown";
  return nameOf(static_cast<ThreadRole>(number));
}

void onRefusedCall(int /*signal*/, siginfo_t* info, void* /*context*/) {
  Line line;
  line.text("error seccomp.refused thread=");
  line.text(roleNamed(info->si_errno));
  line.text(" call=");
  const std::string_view name = callName(info->si_syscall);
  if (name.empty()) {
    line.number(static_cast<unsigned int>(info->si_syscall));
  } else {
    line.text(name);
  }
  line.text("\n");
  // There is nobody to tell that this failed, either.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.view().data(), line.view().size());
  ::_exit(kViolationExit);
}

}  // namespace

Status endOnViolation() {
  struct sigaction action{};
  action.sa_sigaction = onRefusedCall;
  action.sa_flags = SA_SIGINFO;
  ::sigfillset(&action.sa_mask);
  if (::sigaction(SIGSYS, &action, nullptr) < 0) return systemError("sigaction SIGSYS", errno);
  return {};
}

}  // namespace qm::seccomp
