// The host's end of a tap, which sends frames without pause: of every length, to anybody.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "vmm/os/file_descriptor.h"

namespace qm::test {

class TapWire {
 public:
  // In a network namespace of its own, where the calling thread and whom it starts are from here on. Null where this
  // host allows none.
  static std::unique_ptr<TapWire> lay();

  // By which a VMM finds it.
  static std::string name();

 private:
  explicit TapWire(FileDescriptor socket);

  FileDescriptor socket_;
  std::jthread sender_;
};

}  // namespace qm::test
