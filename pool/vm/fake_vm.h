// VMs without processes: they remember all that was asked of them, hold a nonce in their "memory" as a guest does, and
// fail where a test wants it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "pool/road/phases.h"
#include "pool/vm/vm_process.h"

namespace qm::pool {

// All fake VMs of a test, alive and ended. Threads: any.
class FakeVms final : public VmSpawner {
 public:
  Result<std::unique_ptr<VmProcess>> spawn(std::string_view id, VmPurpose purpose) override;

  // The next `times` calls of that phase fail with `error`.
  void fail(Phase phase, int times, Error error = Error(Remedy::retry, "as the test wants"));
  // The next ping after a restore answers a guest nonce that no template has: a reboot, not the memory.
  void forgetMemory();
  // From here on renewals are answered with their nonce, as an agent does that knows of it.
  void echoNonces();
  // Every ready process dies by itself.
  void killAll();
  // Boots and restores wait until the gate opens, or their VM is ended.
  void closeGate();
  void openGate();
  // Calls of end() kill and then wait until ends may flow.
  void holdEnds();
  void letEndsFlow();
  // Waits until a run is under way: argv {"sleep"} lasts until its VM is ended.
  void awaitSleeper();

  // What happened, in order: "spawn", "boot", "restore", "reclaim", "reset", "connect", "renew", "ping", "run echo",
  // "save", "end".
  std::vector<std::string> history() const;
  std::vector<std::string> historyOf(std::string_view id) const;
  std::size_t count(std::string_view event) const;
  std::vector<agent::Renew> identities() const;
  std::size_t alive() const;
  std::size_t mostAlive() const;

 private:
  friend class FakeVm;
  Status pass(Phase phase, const std::string& id, std::string event);
  void note(const std::string& id, std::string event);

  mutable std::mutex mutex_;  // protects all
  std::condition_variable changed_;
  std::map<Phase, std::pair<int, Error>> faults_;
  bool forgetful_ = false;
  bool echoes_ = false;
  bool gateClosed_ = false;
  bool endsFlow_ = true;
  std::size_t sleepers_ = 0;
  std::size_t alive_ = 0;
  std::size_t mostAlive_ = 0;
  std::uint64_t deaths_ = 0;
  std::uint64_t nextNonce_ = 1000;
  std::map<std::filesystem::path, std::uint64_t> saved_;  // by snapshot: the nonce in its memory
  std::vector<std::pair<std::string, std::string>> history_;
  std::vector<agent::Renew> identities_;
};

}  // namespace qm::pool
