// The three streams that every process is given; nobody owns them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "vmm/result/result.h"

namespace qm {

enum class StandardStream : std::uint8_t { input, output, error };

// Whether a person sits at the other end.
bool isTerminal(StandardStream stream);
// Everything up to the end of standard input; one that is closed is empty. fixInput: there is more than `limit`.
Result<std::vector<std::byte>> readStandardInput(std::size_t limit);
// All of `bytes`, as long as somebody reads them. Bytes that no text has are written as they are.
void writeStandard(StandardStream stream, std::span<const std::byte> bytes);
// What was written so far is gone, where the stream is a file; elsewhere nothing happens.
void emptyStandard(StandardStream stream);

}  // namespace qm
