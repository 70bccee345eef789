// From HTTP's three parts to a Request. Pure; every byte of the input is hostile.
#pragma once

#include <string_view>

#include "api/vmm/request/request.h"
#include "vmm/result/result.h"

namespace qm::vmm {

// fixInput: the sentence is the answer's fault_message. The body is empty where there is none.
Result<Request> parseRequest(std::string_view method, std::string_view target, std::string_view body);

}  // namespace qm::vmm
