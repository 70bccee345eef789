// What both codecs do with Cap'n Proto: read a hostile frame, frame a message, copy text and bytes with their ranges
// checked. Cap'n Proto's exceptions end here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>

#include "vmm/guest/protocol/limits.h"
#include "vmm/result/result.h"

namespace qm::agent {

struct CountRange {
  std::size_t least = 0;
  std::size_t most = 0;
};
// fixInput, "a hostname of 70 bytes, not 1 to 63".
Status checkRange(std::string_view what, std::size_t count, CountRange range);

// No NUL inside: it would end the text early for the kernel.
Result<std::string> readText(std::string_view what, capnp::Text::Reader from, CountRange range);
Result<std::vector<std::byte>> readData(std::string_view what, capnp::Data::Reader from, CountRange range);
// 0 to `most`.
Result<std::int32_t> readSmall(std::string_view what, std::int32_t value, std::int32_t most);

capnp::Data::Reader dataOf(std::span<const std::byte> bytes);
capnp::Text::Reader textOf(const std::string& text);

Result<std::vector<std::byte>> frameOf(capnp::MessageBuilder& message);

// How far a reader may go: pointers may overlap, so that a small message could be read as a large one; to read twice
// its own length is more than an honest message needs.
capnp::ReaderOptions readerOptions(std::span<const std::uint64_t> frame);

inline kj::ArrayPtr<const capnp::word> wordsOf(std::span<const std::uint64_t> frame) {
  return {reinterpret_cast<const capnp::word*>(frame.data()), frame.size()};
}

Error unreadable(const kj::Exception& exception);

// `read(root)` of the frame's message; giveUp when Cap'n Proto cannot follow it.
template <class Root, class Read>
auto readFrame(std::span<const std::uint64_t> frame, const Read& read)
    -> decltype(read(std::declval<typename Root::Reader>())) {
  try {
    capnp::FlatArrayMessageReader message(wordsOf(frame), readerOptions(frame));
    return read(message.getRoot<Root>());
  } catch (const kj::Exception& exception) {
    return unreadable(exception);
  }
}

}  // namespace qm::agent
