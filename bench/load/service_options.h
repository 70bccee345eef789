// What every benchmark of a daemon takes on its command line.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "bench/load/service.h"

namespace qm::bench {

// Of what was measured and where, for the record.
struct Stamp {
  std::string commit = "unknown", host = "unknown", build = "unknown";
};

// Which programs and guest, where, and how they are shut in. Both settings outlive `app`.
void describeService(CLI::App& app, ServiceSettings& service);
void describeStamp(CLI::App& app, Stamp& stamp);

}  // namespace qm::bench
