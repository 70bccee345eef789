#include "bench/load/service_options.h"

#include <fmt/format.h>

#include "vmm/version/version.h"

namespace qm::bench {

void describeService(CLI::App& app, ServiceSettings& service) {
  app.add_option("--programs", service.programs, "Folder of quickmatchd and its fellows")->required();
  app.add_option("--kernel", service.kernel, "The guest's vmlinux")->required();
  app.add_option("--initrd", service.initrd, "The guest's initramfs, with the agent")->required();
  app.add_option("--folder", service.folder, "For the daemon's state; a tmpfs; made")->required();
  app.add_option("--hypervisor", service.hypervisor, "auto, kvm, soft")->capture_default_str();
  app.add_option("--jail", service.jail, "namespaces, none")->capture_default_str();
  app.add_option("--reuse", service.reuse, "Of VMs that were used: destroy, reset")->capture_default_str();
  app.add_option("--seccomp", service.seccomp, "Level; own: quickmatchd is not told")->capture_default_str();
}

void describeStamp(CLI::App& app, Stamp& stamp) {
  app.add_option("--commit", stamp.commit, "For the record");
  app.add_option("--host", stamp.host, "For the record");
  app.add_option("--build", stamp.build, "Preset of what is measured, for the record");
}

Result<boost::json::object> introduce(Service& service, const ServiceSettings& settings, const Stamp& stamp) {
  const std::string backend = TRY(service.hypervisor());
  fmt::print("quickmatch {} ({}, {}) on {}, backend {}, jail {}, seccomp {}, pool {}\n", kVersion, stamp.commit,
             stamp.build, stamp.host, backend, settings.jail, settings.seccomp, settings.pool);
  return boost::json::object{{"commit", stamp.commit}, {"host", stamp.host},    {"build", stamp.build},
                             {"backend", backend},     {"jail", settings.jail}, {"seccomp", settings.seccomp},
                             {"pool", settings.pool}};
}

}  // namespace qm::bench
