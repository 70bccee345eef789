#include "vmm/guest/protocol/frame_reader.h"

#include <algorithm>
#include <cstring>

#include "vmm/guest/protocol/limits.h"
#include "vmm/result/check.h"

namespace qm::agent {

namespace {

constexpr std::size_t kWordBytes = sizeof(std::uint64_t);
constexpr std::size_t kMinRoomBytes = 4096;

// The table's 32-bit numbers, little-endian as the machine.
std::uint32_t tableEntry(std::span<const std::byte> bytes, std::size_t index) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.subspan(index * sizeof value).data(), sizeof value);
  return value;
}

}  // namespace

std::span<std::byte> FrameReader::room() {
  if (words_.size() * kWordBytes < filledBytes_ + kMinRoomBytes) {
    words_.resize(std::max(words_.size() * 2, (filledBytes_ + kMinRoomBytes) / kWordBytes + 1));
  }
  return std::as_writable_bytes(std::span(words_)).subspan(filledBytes_);
}

void FrameReader::filled(std::size_t bytes) {
  CHECK(bytes <= words_.size() * kWordBytes - filledBytes_);
  filledBytes_ += bytes;
}

Result<std::optional<std::size_t>> FrameReader::frontWords() const {
  const auto bytes = std::as_bytes(std::span(words_)).first(filledBytes_);
  if (bytes.size() < sizeof(std::uint32_t)) return std::optional<std::size_t>();
  const std::uint32_t lastSegment = tableEntry(bytes, 0);
  if (lastSegment >= kMaxSegments) {
    return Error(Remedy::giveUp, "a message of more than " + std::to_string(kMaxSegments) + " segments");
  }
  const std::size_t segments = lastSegment + std::size_t{1};
  const std::size_t tableWords = segments / 2 + 1;
  if (bytes.size() < tableWords * kWordBytes) return std::optional<std::size_t>();
  std::size_t words = tableWords;
  for (std::size_t segment = 0; segment < segments; ++segment) words += tableEntry(bytes, segment + 1);
  if (words > kMaxMessageBytes / kWordBytes) {
    return Error(Remedy::giveUp, "a message of " + std::to_string(words * kWordBytes) + " bytes, more than the " +
                                     std::to_string(kMaxMessageBytes) + " that are taken");
  }
  return std::optional(words);
}

Result<std::optional<std::span<const std::uint64_t>>> FrameReader::front() const {
  const std::optional<std::size_t> words = TRY(frontWords());
  if (!words.has_value() || filledBytes_ < *words * kWordBytes) return std::optional<std::span<const std::uint64_t>>();
  return std::optional(std::span(words_).first(*words));
}

void FrameReader::drop() {
  const auto words = frontWords();
  CHECK(words.has_value() && words->has_value() && **words * kWordBytes <= filledBytes_);
  const auto bytes = std::as_writable_bytes(std::span(words_)).first(filledBytes_);
  const auto rest = bytes.subspan(**words * kWordBytes);
  std::ranges::copy(rest, bytes.begin());
  filledBytes_ = rest.size();
  // A large message was: its memory is not kept for pings.
  if (filledBytes_ == 0 && words_.size() > 16 * kMinRoomBytes / kWordBytes) words_ = {};
}

}  // namespace qm::agent
