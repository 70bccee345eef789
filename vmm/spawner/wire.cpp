#include "vmm/spawner/wire.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace qm::spawner {

static_assert(std::endian::native == std::endian::little);

namespace {

Error malformed(const char* what) {
  return {Remedy::fixInput, std::string("a message to or from the spawner ") + what};
}

}  // namespace

Writer& Writer::word(std::uint32_t value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return *this;
}

Writer& Writer::text(std::string_view value) {
  word(static_cast<std::uint32_t>(value.size()));
  const auto bytes = std::as_bytes(std::span(value));
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return *this;
}

Result<std::uint32_t> Reader::word() {
  std::uint32_t value = 0;
  if (rest_.size() < sizeof value) return malformed("ends early");
  std::memcpy(&value, rest_.data(), sizeof value);
  rest_ = rest_.subspan(sizeof value);
  return value;
}

Result<std::uint32_t> Reader::wordUpTo(std::uint32_t most) {
  const std::uint32_t value = TRY(word());
  if (value > most) return malformed("has a number beyond its limit");
  return value;
}

Result<std::string> Reader::text() {
  const std::uint32_t length = TRY(word());
  if (rest_.size() < length) return malformed("ends early");
  std::string value(reinterpret_cast<const char*>(rest_.data()), length);
  if (std::ranges::find(value, '\0') != value.end()) return malformed("has a NUL in a text");
  rest_ = rest_.subspan(length);
  return value;
}

Status Reader::end() const {
  if (!rest_.empty()) return malformed("goes on after its end");
  return {};
}

}  // namespace qm::spawner
