// The daemon's end of one VMM's control channel (api/vmm/control). What comes from there is hostile: a guest may have
// taken the VMM over. Threads: one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "api/daemon/vm/vmm_requests.h"
#include "api/vmm/control/control_values.h"
#include "pool/vm/vm_process.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

class VmmControl {
 public:
  explicit VmmControl(FileDescriptor socket) : socket_(std::move(socket)) {}

  // fixInput: the VMM refused, in its own words; giveUp: it has ended, or says what makes no sense, and the channel is
  // lost. A VMM that was just started is waited for.
  Status ask(const VmmRequest& request, pool::Deadline deadline, std::span<const int> files = {});
  // The same of what the REST interface has no words for; `files` go with it and stay the caller's. `onSent` is called
  // between the request and its answer.
  using Body = decltype(vmm::control::Request::body);
  using OnSent = std::function<void()>;
  Status ask(Body body, std::span<const int> files, std::string_view what, pool::Deadline deadline,
             const OnSent& onSent = {});

 private:
  Result<vmm::Answer> exchange(Body body, std::span<const int> files, pool::Deadline deadline, const OnSent& onSent);

  FileDescriptor socket_;
  std::uint64_t lastId_ = 0;
};

}  // namespace qm
