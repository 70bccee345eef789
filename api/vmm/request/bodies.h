// The JSON objects that requests carry and that a configuration file is made of, one function each. Unknown fields,
// wrong types and numbers out of range are errors. What Firecracker knows and this VMM does not offer is refused by
// name, never ignored; fields at the value that means "without it" are taken.
#pragma once

#include <boost/json/value.hpp>

#include "api/vmm/request/request.h"
#include "vmm/result/result.h"

namespace qm::vmm {

Result<MachineShape> readShape(const boost::json::value& body);
Result<BootFiles> readBootFiles(const boost::json::value& body);
Result<BlockConfig> readDrive(const boost::json::value& body);
Result<NetConfig> readNet(const boost::json::value& body);
Result<VsockConfig> readVsock(const boost::json::value& body);
Result<AddEntropy> readEntropy(const boost::json::value& body);
Result<Request> readAction(const boost::json::value& body);
Result<Request> readRunState(const boost::json::value& body);
Result<CreateSnapshot> readCreateSnapshot(const boost::json::value& body);
Result<LoadSnapshot> readLoadSnapshot(const boost::json::value& body);

// A drive's, an interface's: letters, digits and underscores.
Status checkId(std::string_view id);

}  // namespace qm::vmm
