// Whether a descriptor can be written to, told by another that is *readable* then: for who waits for reading only, as
// an event loop that knows no more of what it waits for. A socket that was told to connect is writable once that is
// decided.
#pragma once

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

// A resource: an epoll(7) of one. What is watched outlives it.
class WritableWatch {
 public:
  static Result<WritableWatch> create(const FileDescriptor& watched);

  const FileDescriptor& file() const { return epoll_; }
  // Also after an error of what is watched, or its end.
  bool isWritable() const;

 private:
  explicit WritableWatch(FileDescriptor epoll) : epoll_(std::move(epoll)) {}
  FileDescriptor epoll_;
};

}  // namespace qm
