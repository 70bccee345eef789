// The input of the two agent fuzz targets as a stream: cut into messages as both sides do it.
#pragma once

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "vmm/guest/protocol/frame_reader.h"

namespace qm::fuzz {

inline std::vector<std::uint64_t> wordsOf(std::span<const std::byte> bytes) {
  std::vector<std::uint64_t> words(bytes.size() / sizeof(std::uint64_t));
  std::memcpy(words.data(), bytes.data(), words.size() * sizeof(std::uint64_t));
  return words;
}

template <class Each>
void forEachFrame(std::span<const std::byte> bytes, const Each& each) {
  agent::FrameReader reader;
  while (!bytes.empty()) {
    const auto room = reader.room();
    const auto some = bytes.first(std::min(room.size(), bytes.size()));
    std::ranges::copy(some, room.begin());
    reader.filled(some.size());
    bytes = bytes.subspan(some.size());
    for (;;) {
      const auto frame = reader.front();
      if (!frame.has_value()) return;
      if (!frame->has_value()) break;
      each(**frame);
      reader.drop();
    }
  }
}

}  // namespace qm::fuzz
