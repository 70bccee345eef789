#include "api/cli/top/terminal.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <span>
#include <string_view>

#include "vmm/os/signals.h"
#include "vmm/os/standard_streams.h"

namespace qm::cli {

namespace {

// xterm's private modes: another page (1049), the cursor (25).
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view kLeave = "\x1b[?25h\x1b[?1049l";

void say(std::string_view text) {
  writeStandard(StandardStream::output, std::as_bytes(std::span(text)));
}

// False: there are no more keys, or q is among them.
bool goesOn() {
  std::array<char, 64> keys{};
  const ssize_t count = ::read(STDIN_FILENO, keys.data(), keys.size());
  if (count <= 0) return false;
  const std::string_view pressed(keys.data(), static_cast<std::size_t>(count));
  return pressed.find_first_of("qQ") == std::string_view::npos;
}

}  // namespace

Result<Terminal> Terminal::open() {
  blockSignals({SIGINT, SIGTERM, SIGWINCH});
  Terminal terminal(TRY(watchSignals({SIGINT, SIGTERM, SIGWINCH})));
  termios now{};
  if (isTerminal(StandardStream::input) && ::tcgetattr(STDIN_FILENO, &now) == 0) {
    terminal.before_ = now;
    now.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    static_cast<void>(::tcsetattr(STDIN_FILENO, TCSANOW, &now));
  }
  say(kEnter);
  return terminal;
}

Terminal::~Terminal() {
  if (!isOpen_) return;
  say(kLeave);
  if (before_) static_cast<void>(::tcsetattr(STDIN_FILENO, TCSANOW, &*before_));
}

ScreenSize Terminal::size() const {
  winsize found{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &found) < 0 || found.ws_col == 0 || found.ws_row == 0) return {};
  return {.columns = found.ws_col, .rows = found.ws_row};
}

void Terminal::draw(const std::string& frame) const {
  say(frame);
}

Terminal::Next Terminal::nextOfSignal() const {
  signalfd_siginfo arrived{};
  if (!readSome(signals_, std::as_writable_bytes(std::span(&arrived, 1))).has_value()) return Next::quit;
  return arrived.ssi_signo == SIGWINCH ? Next::later : Next::quit;
}

Terminal::Next Terminal::wait(std::chrono::milliseconds time) const {
  std::array<pollfd, 2> events{{{.fd = signals_.get(), .events = POLLIN, .revents = 0},
                                {.fd = before_ ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0}}};
  if (::poll(events.data(), events.size(), static_cast<int>(time.count())) <= 0) return Next::later;
  if (events[0].revents != 0) return nextOfSignal();
  return goesOn() ? Next::later : Next::quit;
}

}  // namespace qm::cli
