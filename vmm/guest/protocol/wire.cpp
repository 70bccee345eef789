#include "vmm/guest/protocol/wire.h"

#include <algorithm>

namespace qm::agent {

namespace {

constexpr std::uint64_t kSlackWords = 64;  // small messages: Cap'n Proto counts a struct's pointers more than once
constexpr int kNesting = 8;                // a request is five deep

}  // namespace

Status checkRange(std::string_view what, std::size_t count, CountRange range) {
  if (count >= range.least && count <= range.most) return {};
  return Error(Remedy::fixInput, std::string(what) + " is " + std::to_string(count) + ", not " +
                                     std::to_string(range.least) + " to " + std::to_string(range.most));
}

Result<std::string> readText(std::string_view what, capnp::Text::Reader from, CountRange range) {
  const std::string_view text(from.begin(), from.size());
  TRY(checkRange(std::string("length of ").append(what), text.size(), range));
  if (text.find('\0') != std::string_view::npos) return Error(Remedy::fixInput, std::string(what) + " holds a NUL");
  return std::string(text);
}

Result<std::vector<std::byte>> readData(std::string_view what, capnp::Data::Reader from, CountRange range) {
  TRY(checkRange(std::string("length of ").append(what), from.size(), range));
  const auto bytes = std::as_bytes(std::span(from.begin(), from.size()));
  return std::vector<std::byte>(bytes.begin(), bytes.end());
}

Result<std::int32_t> readSmall(std::string_view what, std::int32_t value, std::int32_t most) {
  if (value < 0 || value > most) return Error(Remedy::fixInput, std::string(what) + " is " + std::to_string(value));
  return value;
}

capnp::Data::Reader dataOf(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()};
}

capnp::Text::Reader textOf(const std::string& text) {
  return {text.c_str(), text.size()};
}

Result<std::vector<std::byte>> frameOf(capnp::MessageBuilder& message) {
  const std::size_t bytes = capnp::computeSerializedSizeInWords(message) * sizeof(capnp::word);
  TRY(checkRange("a message's size in bytes", bytes, {.least = 1, .most = kMaxMessageBytes}));
  const kj::Array<capnp::word> words = capnp::messageToFlatArray(message);
  const auto framed = std::as_bytes(std::span(words.begin(), words.size()));
  return std::vector<std::byte>(framed.begin(), framed.end());
}

capnp::ReaderOptions readerOptions(std::span<const std::uint64_t> frame) {
  return {.traversalLimitInWords = frame.size() * 2 + kSlackWords, .nestingLimit = kNesting};
}

Error unreadable(const kj::Exception& exception) {
  return {Remedy::giveUp, std::string("a message that cannot be read: ") + exception.getDescription().cStr()};
}

}  // namespace qm::agent
