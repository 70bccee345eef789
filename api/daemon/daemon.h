// The daemon as a whole: what it is made of, how it begins and how it ends.
#pragma once

#include <memory>

#include "api/daemon/config/daemon_config.h"
#include "vmm/log/log.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

class Daemon {
 public:
  // Takes the state folder for itself, ends what another daemon left in it, and serves. Templates of the configuration
  // are put; those that should have clones are built by and by.
  static Result<std::unique_ptr<Daemon>> start(const DaemonConfig& config, Log log);
  // Ends every VM and removes all that is for this run only; snapshots stay.
  ~Daemon();
  // Until `stop` is readable. giveUp: something has ended before, without which it is of no use.
  Status serveUntil(const FileDescriptor& stop) const;
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

 private:
  class Inside;
  explicit Daemon(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

}  // namespace qm
