// An agent without a guest: answers pings with a nonce of its own, acknowledges renewals, and "runs" commands by
// telling their words on stdout ("/bin/cat" gives its stdin back, "false" exits 1, "sleep" sleeps until its VM is
// ended, "which" tells the number of its connection, the first being 1).
#pragma once

#include <cstdint>
#include <filesystem>
#include <thread>

#include "vmm/os/file_descriptor.h"

namespace qm::test {

// Listens as a VMM's vsock device does: "CONNECT 5200", "OK …", then messages. Serves until the process ends.
class FakeAgent {
 public:
  FakeAgent(const std::filesystem::path& socket, std::uint64_t guestNonce);

 private:
  FileDescriptor listener_;
  std::uint64_t guestNonce_;
  std::thread thread_;
};

}  // namespace qm::test
