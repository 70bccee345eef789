// A fuzzer's bytes, taken from the front as a target needs them; zeros when they are used up.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace qm::fuzz {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(std::as_bytes(std::span(data, size))) {}

  bool isEmpty() const { return rest_.empty(); }
  std::uint8_t byte() { return number<std::uint8_t>(); }
  template <class T>
  T number() {
    T value{};
    const auto from = take(sizeof value);
    std::ranges::copy(from, std::as_writable_bytes(std::span(&value, 1)).begin());
    return value;
  }
  // At most `count` bytes: fewer at the end.
  std::span<const std::byte> take(std::size_t count) {
    const auto taken = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

 private:
  std::span<const std::byte> rest_;
};

}  // namespace qm::fuzz
