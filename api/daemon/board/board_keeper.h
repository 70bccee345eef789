// Keeps the daemon's board: writes it once a second, by a thread of its own.
#pragma once

#include <thread>

#include "api/board/board_writer.h"
#include "api/daemon/board/board_tally.h"
#include "api/daemon/vm/vm_account.h"
#include "pool/pool.h"

namespace qm {

class BoardKeeper {
 public:
  // All of them outlive it.
  struct Sources {
    const pool::Pool& pool;
    BoardTally& tally;
    const VmAccounts& vms;
  };
  BoardKeeper(board::BoardWriter writer, Sources sources);
  BoardKeeper(const BoardKeeper&) = delete;
  BoardKeeper& operator=(const BoardKeeper&) = delete;
  // Writes no more, and takes the board away.
  ~BoardKeeper() = default;

 private:
  void keep(const std::stop_token& stop);
  board::Board now() const;

  board::BoardWriter writer_;
  Sources sources_;
  std::jthread thread_;  // last: it uses the rest
};

}  // namespace qm
