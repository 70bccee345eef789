// Between Cap'n Proto's Data and Text and the containers of our states. Lengths count: a NUL within a text is kept.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include <capnp/blob.h>

namespace qm::snapshot {

// A view; nothing is copied.
template <class Octet>
  requires(sizeof(Octet) == 1)
capnp::Data::Reader dataOf(std::span<const Octet> octets) {
  return {reinterpret_cast<const capnp::byte*>(octets.data()), octets.size()};
}

inline std::span<const std::byte> bytesOf(capnp::Data::Reader data) {
  return std::as_bytes(std::span(data.begin(), data.size()));
}

// A view; nothing is copied.
inline capnp::Text::Reader textOf(const std::string& text) {
  return {text.c_str(), text.size()};
}

inline std::string stringOf(capnp::Text::Reader text) {
  return {text.begin(), text.end()};
}

}  // namespace qm::snapshot
