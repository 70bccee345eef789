// Processes by their descriptor (pidfd): a number that cannot come to mean another process, unlike a pid.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

// How a child ended: by exit (signal is 0) or by a signal (code is 0).
struct ProcessEnd {
  int code = 0;
  int signal = 0;
  bool operator==(const ProcessEnd&) const = default;
};

// An open descriptor of ours and the number by which the child knows it.
struct GivenDescriptor {
  int ours = -1;
  int number = -1;
};

struct StartPlan {
  std::filesystem::path executable;
  std::vector<std::string> arguments;  // after argv[0], which is the executable
  std::filesystem::path folder;        // the working directory; empty: ours
  // Where standard output and error go; appended to, made when missing. Empty: where ours go.
  std::filesystem::path output;
  // What the child has besides; not owned here.
  std::vector<GivenDescriptor> descriptors;
};

// A process, owned as a descriptor; the process itself lives on when this is destroyed.
class Process {
 public:
  Process() = default;
  // Starts a child in a session of its own (no signal of our terminal reaches it), standard input empty, no signal
  // blocked or ignored, no descriptor open but those named (all of ours are close-on-exec), our environment.
  static Result<Process> start(const StartPlan& plan);
  // One that runs already, child or not; fixInput when there is none.
  static Result<Process> find(pid_t pid);
  // One of which another (a spawner) gave the descriptor.
  Process(pid_t pid, FileDescriptor descriptor) : pid_(pid), descriptor_(std::move(descriptor)) {}

  pid_t pid() const { return pid_; }
  // Readable in poll once the process has ended.
  const FileDescriptor& descriptor() const { return descriptor_; }

  // Sent to a process that has ended: no error, nothing happens.
  Status signal(int number) const;
  // CPU time of all its threads since it began, those that have ended too; also of one that has ended and was not
  // reaped. none: it is gone. One system call.
  std::optional<std::chrono::nanoseconds> cpuTime() const;
  // Whether it ends before `deadline`.
  bool waitForEnd(std::chrono::steady_clock::time_point deadline) const;
  // Takes a child's end from the kernel, so that no zombie stays; waits for it. none: it is no child of ours.
  std::optional<ProcessEnd> reap() const;

 private:
  pid_t pid_ = -1;
  FileDescriptor descriptor_;
};

// For who has only the number: takes a child's end if it has ended; fixInput: no child of ours.
Result<std::optional<ProcessEnd>> reapIfEnded(pid_t pid);

// Ticks after the host's boot at which the process began (proc(5), /proc/PID/stat, field 22): with the pid it names a
// process for as long as the host runs.
Result<std::uint64_t> processStartTicks(pid_t pid);

}  // namespace qm
