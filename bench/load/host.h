// What was measured and where, for the record.
#pragma once

#include <string>

namespace qm::bench {

// "2 CPUs, Linux 6.1.0, AMD EPYC 9B14": those that this process may use, what uname(2) and /proc/cpuinfo say.
std::string describeHost();

}  // namespace qm::bench
