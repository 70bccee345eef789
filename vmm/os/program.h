// What stands between a fresh copy of a process and the program it becomes: its descriptors, session, signals, exec.
// For processes with one thread that become another program or end.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "vmm/os/file_descriptor.h"
#include "vmm/os/process.h"
#include "vmm/result/result.h"

namespace qm {

// Numbers of given descriptors are below this; what the process needs besides is moved above.
inline constexpr int kGivenNumbers = 128;

struct ProgramPlan {
  int executable = -1;                 // open, for execveat(2); needs no path, so none has to be in the jail
  std::vector<std::string> arguments;  // argv, the first is argv[0]
  // Standard input, output and error are /dev/null where none is given (`null`).
  std::vector<GivenDescriptor> descriptors;
  int null = -1;
};

// A session of its own, no signal blocked; what is made has the mode that its maker names (umask 022).
Status beginAfresh();

// Becomes the program, with an empty environment, only the given descriptors, and umask 077; comes back with an error
// or not at all. `keep` stays open until then and is moved out of the way.
Error becomeProgram(const ProgramPlan& plan, FileDescriptor& keep);

// Whether a descriptor leads to other files (a folder; any path-only one).
Result<bool> leadsToFiles(const FileDescriptor& file);

}  // namespace qm
