// epoll(7) over things that have a number.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

struct epoll_event;

namespace qm::bench {

class Epoll {
 public:
  static Result<Epoll> create();
  // Reported as readable (or at its end) with `number`. Closing the descriptor ends it.
  Status watch(const FileDescriptor& file, std::uint64_t number) const;
  // Those that have something, at most events.size(); none after `atMost`.
  Result<std::span<const epoll_event>> wait(std::span<epoll_event> events, std::chrono::milliseconds atMost) const;

 private:
  explicit Epoll(FileDescriptor file) : file_(std::move(file)) {}
  FileDescriptor file_;
};

}  // namespace qm::bench
