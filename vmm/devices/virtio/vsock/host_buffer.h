// Bytes from the guest that the host's socket would not take yet. Credit bounds it; it holds memory only while it holds
// bytes, so that an idle connection costs none.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace qm::vsock {

class HostBuffer {
 public:
  bool empty() const { return bytes_.empty(); }
  std::span<const std::byte> front() const { return std::span(bytes_).subspan(taken_); }

  void append(std::span<const std::byte> bytes) {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(taken_));
    taken_ = 0;
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }

  // The first `count` bytes of front() are done with.
  void consume(std::size_t count) {
    taken_ += count;
    if (taken_ == bytes_.size()) clear();
  }

  void clear() {
    bytes_ = {};
    taken_ = 0;
  }

 private:
  std::vector<std::byte> bytes_;
  std::size_t taken_ = 0;  // of bytes_, from its begin; less than its size, or both 0
};

}  // namespace qm::vsock
