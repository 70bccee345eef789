// What a VMM is asked so that it boots, freezes or restores a guest, in Firecracker's words.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pool/vm/vm_process.h"

namespace qm {

struct VmmRequest {
  std::string method;
  std::string target;
  std::string body;
  bool operator==(const VmmRequest&) const = default;
};

// In this order; the last one starts the guest. Sockets are named relative to the VM's folder.
std::vector<VmmRequest> bootRequests(const pool::BootPlan& plan);
// Pauses, then writes both files, named relative to the VM's folder: in a jail no other place can be written.
// Of a machine in a network slot, with the slot's tap beside it; before the others.
VmmRequest interfaceRequest();
std::vector<VmmRequest> saveRequests();

}  // namespace qm
