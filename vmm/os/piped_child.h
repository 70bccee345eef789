// Runs a program whose standard streams are pipes of ours, in a session of its own, perhaps as another user.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "vmm/os/file_descriptor.h"
#include "vmm/os/process.h"
#include "vmm/result/result.h"

namespace qm {

struct Credentials {
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;
  bool operator==(const Credentials&) const = default;
};

struct PipedPlan {
  // Tried one after the other, as execvp(3) tries the folders of PATH: until one is there.
  std::vector<std::string> executables;
  std::vector<std::string> argv;
  std::vector<std::string> env;            // NAME=VALUE, all that the program gets
  std::string folder;                      // its working directory
  std::optional<Credentials> credentials;  // none: ours
};

// Our ends of the pipes, non-blocking. The process leads a session and a group that have its pid for their number.
struct PipedChild {
  Process process;
  FileDescriptor in;
  FileDescriptor out;
  FileDescriptor err;
};

// Answers once the program is in place. fixInput: none of the executables can be run, or the folder entered.
// No signal is blocked in it; ignored are those that this process ignores but SIGPIPE (forgetInheritedSignals). This
// process has no handlers: until exec they would run in the child, in our memory.
// Costs no copy of our memory (vfork): in a copy-on-write clone each copied page would be private memory.
Result<PipedChild> startPiped(const PipedPlan& plan);

// SIGKILL to every process of the group; nothing happens when there is none.
void killGroup(pid_t group);

// Writing to a pipe that nobody reads is then an error of the write, not the end of the process. For the whole process.
void ignoreBrokenPipes();
// No signal is ignored from here on, whatever the parent left ignored, as nohup(1) does. For the whole process.
void forgetInheritedSignals();

}  // namespace qm
