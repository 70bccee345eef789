// QEMU's monitor by its machine protocol (QEMU Machine Protocol Specification): one JSON object a line, on a Unix
// socket.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include <boost/json/object.hpp>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::bench {

class QemuMonitor {
 public:
  // retry: QEMU does not listen yet.
  static Result<QemuMonitor> connect(const std::filesystem::path& socket);

  // What the command returns; events that come before are dropped.
  Result<boost::json::object> execute(const boost::json::object& command);

  // Migrates the guest into a file; it does not run afterwards.
  Status saveGuest(const std::filesystem::path& file);

 private:
  explicit QemuMonitor(FileDescriptor socket) : socket_(std::move(socket)) {}
  Result<boost::json::object> line();

  FileDescriptor socket_;
  std::string read_;
};

}  // namespace qm::bench
