// Something that was begun and whose outcome is still to come, for callers who have no thread to wait with: they wait
// for a descriptor, in epoll say, and ask again.
#pragma once

#include <chrono>
#include <optional>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::pool {

// Threads: one at a time. Nothing here waits.
template <class T>
class Awaited {
 public:
  // Gives it up where it has not come.
  virtual ~Awaited() = default;
  // Readable once take() may have more to say; for nothing else.
  virtual const FileDescriptor& file() const = 0;
  // From then on take() answers in any case.
  virtual std::chrono::steady_clock::time_point deadline() const = 0;
  // The outcome, once; none: not yet.
  virtual std::optional<Result<T>> take() = 0;
};

}  // namespace qm::pool
