// Cuts a stream of bytes into messages in Cap'n Proto's stream framing ("Serialization Over a Stream",
// capnproto.org/encoding.html). The bytes are the other side's and hostile: a frame's length is checked before memory
// is taken for it, and memory grows with what has arrived, not with what was announced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "vmm/result/result.h"

namespace qm::agent {

class FrameReader {
 public:
  // Where to put bytes that arrive next; never empty.
  std::span<std::byte> room();
  // Nothing of a message is here yet.
  bool isEmpty() const { return filledBytes_ == 0; }
  // That many bytes were put into room().
  void filled(std::size_t bytes);

  // The first message whose bytes are all there, segment table included, until drop() or room(); nothing: more bytes
  // are needed. An error ends the stream: where the next message begins is not known.
  Result<std::optional<std::span<const std::uint64_t>>> front() const;
  // Forgets the message that front() gave.
  void drop();

 private:
  // The first message's length in words, once its segment table is there.
  Result<std::optional<std::size_t>> frontWords() const;

  // A message starts at words_[0], so that Cap'n Proto finds it aligned.
  std::vector<std::uint64_t> words_;
  std::size_t filledBytes_ = 0;
};

}  // namespace qm::agent
