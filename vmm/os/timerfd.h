// A one-shot timer that epoll sees. Monotonic clock, non-blocking, close-on-exec.
#pragma once

#include <chrono>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

class Timerfd {
 public:
  static Result<Timerfd> create();

  // Fires once at `deadline`; one in the past fires at once.
  void setDeadline(std::chrono::steady_clock::time_point deadline) const;
  void disarm() const;
  // Clears what fired.
  void take() const;
  const FileDescriptor& file() const { return file_; }

 private:
  explicit Timerfd(FileDescriptor file) : file_(std::move(file)) {}
  FileDescriptor file_;
};

}  // namespace qm
