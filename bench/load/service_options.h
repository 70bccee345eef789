// What every benchmark of a daemon takes on its command line, and says first.
#pragma once

#include <string>

#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>

#include "bench/load/host.h"
#include "bench/load/service.h"
#include "vmm/result/result.h"

namespace qm::bench {

// Of what was measured and where, for the record.
struct Stamp {
  std::string commit = "unknown", build = "unknown", host = describeHost();
};

// Which programs and guest, where, and how they are shut in. Both settings outlive `app`.
void describeService(CLI::App& app, ServiceSettings& service);
void describeStamp(CLI::App& app, Stamp& stamp);

// Prints what is measured, where, and in which jail; the same as the first of a run's figures: commit, host, build,
// backend (kvm, soft), jail, seccomp, pool.
Result<boost::json::object> introduce(Service& service, const ServiceSettings& settings, const Stamp& stamp);

}  // namespace qm::bench
