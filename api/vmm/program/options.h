// The command line of quickmatch-vmm.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "vmm/hypervisor/choice/choice.h"
#include "vmm/log/log.h"
#include "vmm/seccomp/thread_filter.h"

namespace qm::vmm {

struct Options {
  std::filesystem::path apiSocket;   // empty: no API, and then there is a configuration file or a control channel
  std::optional<int> control;        // number of the control channel's descriptor; none: there is none
  std::optional<int> slot;           // number of the slot page's descriptor; none: nobody looks
  std::filesystem::path configFile;  // empty: the API says what to start
  std::string id = "anonymous-instance";
  LogLevel logLevel = LogLevel::info;
  std::filesystem::path console;   // empty: standard output
  std::uint64_t consoleBytes = 0;  // what the guest may write there; 0: no limit
  seccomp::Level seccomp = seccomp::defaultLevel();
  HypervisorChoice hypervisor = HypervisorChoice::automatic;
  SoftSettings soft;                  // a clock of instructions goes with HypervisorChoice::soft only
  std::filesystem::path inputScript;  // empty: none; goes with a clock of instructions only
};

// What to do; or the program's exit code when there is nothing to do (help, version, a mistake), all said.
struct ParsedOptions {
  std::optional<Options> options;
  int exitCode = 0;
};
ParsedOptions parseOptions(int count, const char* const* given);

}  // namespace qm::vmm
