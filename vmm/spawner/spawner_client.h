// The spawner as the daemon sees it: a process behind a socket that starts others in jails.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "vmm/jail/jail_plan.h"
#include "vmm/network/slot.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/os/process.h"
#include "vmm/result/result.h"
#include "vmm/spawner/message.h"

namespace qm {

struct SpawnRequest {
  // Opened with the caller's rights and passed as a descriptor. Static-pie: nothing but it is there when it starts.
  // In a jail its mode must let the jail's user execute it.
  std::filesystem::path executable;
  std::vector<std::string> arguments;  // after argv[0], which is the executable's name
  // A jailed process gets the folder for its own; the group stays. Bare, only the folder matters.
  JailPlan jail;
  // Numbers below kGivenNumbers (vmm/os/program.h), at most 64. Standard input, output and error are /dev/null
  // unless given. No folders into a jail.
  std::vector<GivenDescriptor> descriptors;
};

// Threads: any; requests are served one after another, each in a millisecond or two.
// Errors: fixInput is about the request; retry means that it was not served in time: a process that was started all
// the same is ended as soon as that is known; giveUp means that the spawner is lost, and so does every call after it.
class SpawnerClient {
 public:
  // Starts `executable` (quickmatch-spawner), which ends when this is destroyed.
  static Result<SpawnerClient> start(const std::filesystem::path& executable, const JailPolicy& policy);
  // One that somebody else, with more rights than ours, has started on the other end.
  static Result<SpawnerClient> over(FileDescriptor socket, std::chrono::milliseconds answerLimit = kAnswerLimit);

  // The spawner's own limit for one jail and some more.
  static constexpr std::chrono::seconds kAnswerLimit{8};

  SpawnerClient(SpawnerClient&&) noexcept;
  SpawnerClient& operator=(SpawnerClient&&) = delete;
  ~SpawnerClient();

  // Readable in poll once the spawner has ended; not open if somebody else has started it.
  const FileDescriptor& ended() const { return process_.descriptor(); }

  // Answers when the program runs. It is a session of its own with an empty environment and outlives both spawner and
  // client.
  Result<Process> spawn(const SpawnRequest& request) const;
  // A network slot (vmm/network/slot.h); the spawner keeps it until closeSlot, or its own end.
  struct MadeSlot {
    std::uint32_t number = 0;
    FileDescriptor tap;
  };
  Result<MadeSlot> makeSlot() const;
  Result<FileDescriptor> openSlotSocket(std::uint32_t slot, network::SlotSocket kind) const;
  Status closeSlot(std::uint32_t slot) const;

  // How a spawned process ended, once; the kernel keeps a zombie until it is asked. retry: it did not end before
  // `deadline`.
  Result<spawner::Ended> reap(const Process& process, std::chrono::steady_clock::time_point deadline) const;
  // What it, or a process that it started, was killed for; asked before it is reaped. fixInput: it was.
  Result<MemoryShortage> memoryShortage(const Process& process) const;
  // Limits a spawned process's control group anew; nothing where it has none. retry: more is in use than that.
  Status limit(const Process& process, const CgroupLimits& limits) const;
  // By which controllers processes are held, and what is missing; fixInput: it was required, and nothing is started.
  Result<spawner::Groups> groups() const;

 private:
  struct Answered;
  SpawnerClient(FileDescriptor socket, std::chrono::milliseconds answerLimit);
  Result<Answered> ask(const spawner::Request& request, const std::vector<int>& descriptors) const;

  struct Conversation;
  Result<Answered> exchange(const spawner::Request& request, const std::vector<int>& descriptors) const;
  Result<Answered> awaitAnswer(std::uint32_t number) const;
  void dropLate(const spawner::Answer& answer, std::vector<FileDescriptor> descriptors) const;

  std::unique_ptr<Conversation> conversation_;
  FileDescriptor socket_;  // by whom has the conversation's mutex
  Process process_;        // the spawner, if it is our child
};

}  // namespace qm
