// Network slots made ahead, so that a VM waits for none, and closed behind: both are a request to the spawner.
//
// Until somebody takes the first there is none, so that who uses none pays for none. One that was used is closed, never
// given again: the kernel then ends what is left in it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "vmm/log/log.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"
#include "vmm/spawner/spawner_client.h"

namespace qm {

class NetworkSlots;

// A resource: the slot of one VM. Closed on destruction, at once for who holds it and soon for the kernel.
class NetworkSlot {
 public:
  NetworkSlot(NetworkSlots& all, SpawnerClient::MadeSlot made) : all_(&all), made_(std::move(made)) {}
  NetworkSlot(NetworkSlot&& other) noexcept : all_(std::exchange(other.all_, nullptr)), made_(std::move(other.made_)) {}
  NetworkSlot& operator=(NetworkSlot&&) = delete;
  ~NetworkSlot();

  // For the VMM. Once it has it this end is to be closed: a tap that is open twice outlives its VM.
  const FileDescriptor& tap() const { return made_.tap; }
  void closeTap() { made_.tap.close(); }
  Result<FileDescriptor> openSocket(network::SlotSocket kind) const;

 private:
  NetworkSlots* all_;
  SpawnerClient::MadeSlot made_;
};

// Threads: any.
class NetworkSlots {
 public:
  // `ahead`: how many are kept made. The spawner outlives this, and this every slot.
  NetworkSlots(const SpawnerClient& spawner, std::uint32_t ahead, Log log);
  ~NetworkSlots();  // what is idle is left to the spawner's end
  NetworkSlots(const NetworkSlots&) = delete;
  NetworkSlots& operator=(const NetworkSlots&) = delete;

  // One that nobody had, made on the spot when none is ready.
  Result<NetworkSlot> take();
  std::uint32_t ready() const;

 private:
  friend class NetworkSlot;
  void close(std::uint32_t slot);
  void work();
  bool makeOne(std::unique_lock<std::mutex>& lock);

  const SpawnerClient& spawner_;
  const std::uint32_t ahead_;
  Log log_;
  mutable std::mutex mutex_;  // protects what follows; not held while the spawner is asked
  std::condition_variable changed_;
  std::deque<SpawnerClient::MadeSlot> made_;
  std::vector<std::uint32_t> used_;
  bool wanted_ = false;  // since the first was taken
  bool ending_ = false;
  std::jthread worker_;  // last: it uses the rest
};

}  // namespace qm
