// Programs of the host that speak with a guest by its vsock device, without pause: one listens, sends to whoever
// connects and reads nothing; others ask for a port of the guest again and again.
#pragma once

#include <deque>
#include <filesystem>
#include <thread>

#include "vmm/os/file_descriptor.h"

namespace qm::test {

// The ports that a hostile guest knows (tests/attack/guest/vsock_driver.h).
inline constexpr unsigned kListenedPort = 9, kAskedPort = 52;

class BusyHost {
 public:
  // `socket` is the device's; it need not be there yet.
  explicit BusyHost(std::filesystem::path socket);

 private:
  void turn();
  void accept();
  void ask();

  std::filesystem::path socket_;
  FileDescriptor listener_;
  std::deque<FileDescriptor> accepted_;
  std::deque<FileDescriptor> asking_;
  unsigned turns_ = 0;
  std::jthread worker_;
};

}  // namespace qm::test
