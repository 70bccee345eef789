// quickmatchd: keeps microVMs warm and hands them out over REST, until SIGTERM or SIGINT.
#include <signal.h>

#include <cstdio>

#include <fmt/format.h>

#include "api/daemon/command_line.h"
#include "api/daemon/daemon.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/os/signals.h"

int main(int count, char** words) {
  const qm::ParsedCommand parsed = qm::parseDaemonCommand(count, words, qm::processEnvironment());
  if (!parsed.command) return parsed.exitCode;
  qm::keepNewFilesPrivate();
  qm::blockSignals({SIGTERM, SIGINT});
  const auto daemon = qm::Daemon::start(parsed.command->config, qm::Log::toStandardError(parsed.command->logLevel));
  if (!daemon.has_value()) {
    fmt::print(stderr, "quickmatchd: {}\n", daemon.error().text());
    return 1;
  }
  qm::waitForSignal({SIGTERM, SIGINT});
  return 0;
}
