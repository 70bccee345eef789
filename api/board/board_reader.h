// A reader's side of a daemon's board.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string_view>

#include "api/board/board_values.h"
#include "vmm/result/result.h"

namespace qm::board {

enum class Liveness : std::uint8_t {
  serving,
  stuck,  // its process is there, but has not written for some time
  died,   // without taking the board away
};
std::string_view name(Liveness liveness);

struct Look {
  Board board;
  Liveness liveness = Liveness::serving;
  std::chrono::milliseconds sinceHeartbeat{};
};

// Maps it, reads it, lets go of it: a next look finds what a next daemon put there. Asks the daemon nothing. fixInput:
// there is no board, or one of another version; retry: it was being written each time.
Result<Look> lookAtBoard(const std::filesystem::path& file);

}  // namespace qm::board
