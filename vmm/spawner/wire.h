// Words and texts in a row: writing them, and reading them back from bytes that nobody vouches for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vmm/result/result.h"

namespace qm::spawner {

class Writer {
 public:
  Writer& word(std::uint32_t value);
  Writer& text(std::string_view value);
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : rest_(bytes) {}
  Result<std::uint32_t> word();
  // One that is at most `most`.
  Result<std::uint32_t> wordUpTo(std::uint32_t most);
  // Without NUL bytes: each becomes a C string.
  Result<std::string> text();
  // Nothing is left.
  Status end() const;

 private:
  std::span<const std::byte> rest_;
};

}  // namespace qm::spawner
