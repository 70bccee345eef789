// The spawner as the daemon sees it: a process behind a socket that starts others in jails.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "vmm/jail/jail_plan.h"
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
// Errors: fixInput is about the request; giveUp means that the spawner is lost, and so does every call after it.
class SpawnerClient {
 public:
  // Starts `executable` (quickmatch-spawner), which ends when this is destroyed.
  static Result<SpawnerClient> start(const std::filesystem::path& executable, const JailPolicy& policy);
  // One that somebody else, with more rights than ours, has started on the other end.
  static Result<SpawnerClient> over(FileDescriptor socket);

  SpawnerClient(SpawnerClient&&) = default;
  SpawnerClient& operator=(SpawnerClient&&) = delete;
  ~SpawnerClient();

  // Answers when the program runs. It is a session of its own with an empty environment and outlives both spawner and
  // client.
  Result<Process> spawn(const SpawnRequest& request) const;
  // How a spawned process ended, once; the kernel keeps a zombie until it is asked. retry: it did not end before
  // `deadline`.
  Result<ProcessEnd> reap(const Process& process, std::chrono::steady_clock::time_point deadline) const;

 private:
  struct Answered;
  explicit SpawnerClient(FileDescriptor socket);
  Result<Answered> ask(const spawner::Request& request, const std::vector<int>& descriptors) const;

  std::unique_ptr<std::mutex> oneAtATime_;  // guards socket_: an answer follows its request
  FileDescriptor socket_;
  Process process_;  // the spawner, if it is our child
};

}  // namespace qm
