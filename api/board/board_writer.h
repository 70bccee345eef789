// The daemon's side of its board. A resource: the file is there as long as this is.
#pragma once

#include <filesystem>
#include <memory>

#include "api/board/board_fields.h"
#include "vmm/os/mapping.h"
#include "vmm/result/result.h"

namespace qm::board {

class BoardWriter {
 public:
  // In place of what another daemon left: who still maps that sees it stand still.
  static Result<BoardWriter> create(std::filesystem::path file);
  BoardWriter(BoardWriter&&) noexcept = default;
  BoardWriter& operator=(BoardWriter&&) = delete;
  // Removes the file.
  ~BoardWriter();

  // The whole board anew, with us for its writer. Threads: one.
  void publish(const Board& board);

 private:
  BoardWriter(std::filesystem::path file, Mapping mapping, Writer self);
  Cell* cells() const { return reinterpret_cast<Cell*>(mapping_.bytes().data()); }

  std::filesystem::path file_;
  Mapping mapping_;
  Writer self_;
  std::unique_ptr<Contents> contents_;  // as they were published last
};

}  // namespace qm::board
