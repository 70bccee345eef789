// The network slots that a spawner has made, by number. It alone enters their namespaces, and only those: whoever asks
// for a socket in one names a slot, never a namespace.
//
// With all privileges the spawner itself steps into a slot and back, which no jail may notice: it answers one request
// at a time. Without, a copy of it does, in a user namespace that is the slot's.
#pragma once

#include <cstdint>
#include <map>

#include "vmm/network/slot.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/os/privilege.h"
#include "vmm/result/result.h"

namespace qm::spawner {

class NetworkSlots {
 public:
  // The calling process has one thread and stays in the network namespace in which it is.
  static Result<NetworkSlots> create(Privilege privilege);

  struct Made {
    std::uint32_t slot = 0;
    FileDescriptor tap;
  };
  // retry: there are too many, here or for the kernel.
  Result<Made> make();
  // fixInput: there is no such slot.
  Result<FileDescriptor> openSocket(std::uint32_t slot, network::SlotSocket kind) const;
  Status close(std::uint32_t slot);

 private:
  struct Slot {
    FileDescriptor network;
    FileDescriptor user;  // whose the namespace is; not open: this process's own
  };
  NetworkSlots(Privilege privilege, FileDescriptor home) : privilege_(privilege), home_(std::move(home)) {}

  Result<FileDescriptor> makeHere(Slot& slot) const;
  Result<FileDescriptor> openHere(const Slot& slot, network::SlotSocket kind) const;
  Result<const Slot*> find(std::uint32_t slot) const;

  Privilege privilege_;
  FileDescriptor home_;
  std::map<std::uint32_t, Slot> slots_;
  std::uint32_t last_ = 0;
};

}  // namespace qm::spawner
