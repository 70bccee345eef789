// The options of quickmatchd over its configuration file over its defaults.
#pragma once

#include <optional>

#include "api/daemon/config/daemon_config.h"
#include "vmm/log/log.h"

namespace qm {

struct DaemonCommand {
  DaemonConfig config;
  LogLevel logLevel = LogLevel::info;
};

// What the daemon is to do; or the program's exit code when there is nothing to do (help, version, a mistake), all
// said.
struct ParsedCommand {
  std::optional<DaemonCommand> command;
  int exitCode = 0;
};
ParsedCommand parseDaemonCommand(int count, char** words, const Environment& environment);

}  // namespace qm
