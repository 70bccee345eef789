// Which of KVM's three states this host is in.
#pragma once

#include "api/cli/doctor/finding.h"

namespace qm::cli {

Finding checkKvm();

}  // namespace qm::cli
