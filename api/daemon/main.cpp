// quickmatchd: keeps microVMs warm and hands them out over REST, until SIGTERM or SIGINT.
#include <signal.h>

#include <cstdio>

#include <fmt/format.h>

#include "api/daemon/command_line.h"
#include "api/daemon/daemon.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/os/signals.h"

namespace {

qm::Status run(const qm::DaemonCommand& command) {
  const qm::FileDescriptor signals = TRY(qm::watchSignals({SIGTERM, SIGINT}));
  const auto daemon = TRY(qm::Daemon::start(command.config, qm::Log::toStandardError(command.logLevel)));
  return daemon->serveUntil(signals);
}

}  // namespace

// SIGTERM and SIGINT: 0. What it cannot serve without is missing, at the start or later: 1.
int main(int count, char** words) {
  const qm::ParsedCommand parsed = qm::parseDaemonCommand(count, words, qm::processEnvironment());
  if (!parsed.command) return parsed.exitCode;
  qm::keepNewFilesPrivate();
  qm::blockSignals({SIGTERM, SIGINT});
  const qm::Status served = run(*parsed.command);
  if (served.has_value()) return 0;
  fmt::print(stderr, "quickmatchd: {}\n", served.error().text());
  return 1;
}
