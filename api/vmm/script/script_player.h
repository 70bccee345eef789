// Plays a script of host input: each line at its moment, each once. Threads: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/vmm/script/guest_stream.h"
#include "api/vmm/script/input_script.h"
#include "api/vmm/script/stage.h"
#include "vmm/log/log.h"
#include "vmm/loop/event_loop.h"
#include "vmm/result/result.h"

namespace qm::vmm::script {

// Where a machine comes from.
enum class Origin : std::uint8_t { boot, snapshot };

class ScriptPlayer {
 public:
  // Loop, log and stage outlive it. `agentPort`: whose connection outlives a snapshot.
  ScriptPlayer(std::vector<Line> lines, std::uint32_t agentPort, EventLoop& loop, const Log& log, Stage& stage)
      : lines_(std::move(lines)), agentPort_(agentPort), loop_(loop), log_(log), stage_(stage) {}
  ScriptPlayer(const ScriptPlayer&) = delete;
  ScriptPlayer& operator=(const ScriptPlayer&) = delete;

  // Before a machine's first instruction, whose guest time is `guestNs`. What was up to the moment of a snapshot has
  // happened to it and is passed over; a connection to the agent that was open then is taken up again. Answers the next
  // moment; nothing: there is none.
  Result<std::optional<std::uint64_t>> begin(Origin origin, std::uint64_t guestNs);
  // All that is due. The next moment; nothing: the script is over. An error names the line.
  Result<std::optional<std::uint64_t>> play(std::uint64_t guestNs);

 private:
  struct Connection {
    std::unique_ptr<GuestStream> stream;
    FileDescriptor received;  // not open: dropped
  };

  std::optional<std::uint64_t> nextMoment() const;
  Status takeUpAgain();
  Status carryOut(const Connect& connect);
  Status carryOut(const Send& send);
  Status carryOut(const Close& close);
  template <class Other>
  Status carryOut(const Other& other) {
    return stage_.play(other);
  }
  void received(const std::string& name, std::span<const std::byte> bytes);

  std::vector<Line> lines_;
  std::size_t next_ = 0;
  std::uint32_t agentPort_;
  EventLoop& loop_;
  const Log& log_;
  Stage& stage_;
  std::map<std::string, Connection, std::less<>> connections_;
};

}  // namespace qm::vmm::script
