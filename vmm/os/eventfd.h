// A counter in the kernel that one thread raises and another, in epoll, sees. Non-blocking, close-on-exec.
#pragma once

#include <cstdint>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

class Eventfd {
 public:
  static Result<Eventfd> create();

  // Any thread. Never blocks: at the counter's limit the event is already pending.
  void signal() const;
  // Takes the count (0 when nothing is pending).
  std::uint64_t take() const;
  const FileDescriptor& file() const { return file_; }

 private:
  explicit Eventfd(FileDescriptor file) : file_(std::move(file)) {}
  FileDescriptor file_;
};

}  // namespace qm
