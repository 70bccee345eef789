// A machine in one JSON file, shaped as Firecracker's --config-file: the bodies of the requests that would configure
// it, under the names of their paths.
//
//   {"boot-source": {…}, "drives": [{…}], "machine-config": {…}, "network-interfaces": [{…}], "vsock": {…},
//    "entropy": {…}}
//
// Only boot-source must be there. Parts that this VMM does not have are errors, since a machine without them would not
// be the one that was described.
#pragma once

#include <string_view>
#include <vector>

#include "api/vmm/request/request.h"
#include "vmm/result/result.h"

namespace qm::vmm {

// The requests that the file stands for, without the start.
Result<std::vector<Request>> readConfigFile(std::string_view text);

}  // namespace qm::vmm
