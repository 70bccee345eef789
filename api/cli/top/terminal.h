// The terminal as a screen that is drawn over and over: on a page of its own, without a cursor, keys at once and not
// shown. As it was when this goes.
#pragma once

#include <termios.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "api/cli/top/board_text.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::cli {

class Terminal {
 public:
  // Standard output is a terminal; standard input may be none, and then there are no keys. Takes SIGINT, SIGTERM and
  // SIGWINCH over; no other thread may run yet.
  static Result<Terminal> open();
  Terminal(Terminal&& other) noexcept
      : signals_(std::move(other.signals_)),
        before_(std::exchange(other.before_, {})),
        isOpen_(std::exchange(other.isOpen_, false)) {}
  Terminal& operator=(Terminal&&) = delete;
  ~Terminal();

  ScreenSize size() const;
  void draw(const std::string& frame) const;
  // What ends the wait: `later` its time or another size, `quit` the key q or a signal.
  enum class Next : std::uint8_t { later, quit };
  Next wait(std::chrono::milliseconds time) const;

 private:
  explicit Terminal(FileDescriptor signals) : signals_(std::move(signals)) {}
  Next nextOfSignal() const;

  FileDescriptor signals_;
  std::optional<termios> before_;  // of standard input; none: it is no terminal
  bool isOpen_ = true;
};

}  // namespace qm::cli
