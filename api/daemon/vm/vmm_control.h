// The daemon's end of one VMM's REST interface. Threads: one at a time.
#pragma once

#include <filesystem>

#include "api/client/http_client.h"
#include "api/daemon/vm/vmm_requests.h"
#include "pool/vm/vm_process.h"
#include "vmm/os/process.h"
#include "vmm/result/result.h"

namespace qm {

class VmmControl {
 public:
  explicit VmmControl(std::filesystem::path socket) : client_(std::move(socket)) {}

  // Asks until it is done, since a VMM that was just started does not listen yet, and gives up when `process` ends.
  // fixInput: the VMM refused, in its own words.
  Status ask(const VmmRequest& request, const Process& process, pool::Deadline deadline);

 private:
  HttpClient client_;
};

}  // namespace qm
