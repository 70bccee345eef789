#include "bench/start/qemu_vm.h"

#include <signal.h>

#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "bench/start/agent_reply.h"
#include "bench/start/qemu_monitor.h"
#include "vmm/guest/protocol/agent_values.h"
#include "vmm/os/vsock_socket.h"

namespace qm::bench {

namespace {

// acpi=off: the guest's kernel has none and takes the MP table. vhost-vsock is modern only.
std::vector<std::string> arguments(const Places& places, std::uint32_t cid, const std::filesystem::path& monitor) {
  return {"-M",          "microvm,accel=kvm,acpi=off",
          "-cpu",        "host",
          "-smp",        "1",
          "-m",          std::to_string(kGuestMemoryMib),
          "-kernel",     places.kernel.string(),
          "-initrd",     places.initrd.string(),
          "-append",     kBootArguments,
          "-global",     "virtio-mmio.force-legacy=false",
          "-device",     fmt::format("vhost-vsock-device,guest-cid={}", cid),
          "-device",     "virtio-rng-device",
          "-serial",     fmt::format("file:{}.console", monitor.string()),
          "-qmp",        fmt::format("unix:{},server=on,wait=off", monitor.string()),
          "-display",    "none",
          "-nodefaults", "-no-user-config",
          "-no-reboot"};
}

}  // namespace

Result<QemuVm> QemuVm::start(const Places& places, std::uint32_t cid, const std::filesystem::path& incoming) {
  const std::filesystem::path monitor = places.folder / fmt::format("qemu-{}", cid);
  std::vector<std::string> words = arguments(places, cid, monitor);
  // Version 7.2 reads and writes files by way of a program only.
  if (!incoming.empty()) words.insert(words.end(), {"-incoming", "exec:cat " + incoming.string()});
  Process process = TRY(Process::start(
      {.executable = places.qemu, .arguments = std::move(words), .folder = {}, .output = places.folder / "qemu.log"}));
  return QemuVm(monitor, cid, std::move(process));
}

Result<QemuVm> QemuVm::boot(const Places& places, std::uint32_t cid) {
  return start(places, cid, {});
}

Result<QemuVm> QemuVm::restore(const Places& places, std::uint32_t cid, const std::filesystem::path& file) {
  return start(places, cid, file);
}

QemuVm::~QemuVm() {
  if (!process_.descriptor().isOpen()) return;
  static_cast<void>(process_.signal(SIGKILL));
  static_cast<void>(process_.reap());
  std::error_code ignored;
  std::filesystem::remove(monitor_, ignored);
  std::filesystem::remove(monitor_.string() + ".console", ignored);
}

Status QemuVm::save(const std::filesystem::path& file) const {
  QemuMonitor monitor = TRY(QemuMonitor::connect(monitor_));
  return monitor.saveGuest(file);
}

Result<Clock::time_point> QemuVm::waitForReply(std::chrono::milliseconds pause) const {
  const Connect connect = [this]() -> Result<agent::AgentClient> {
    FileDescriptor stream = TRY(connectVsock(cid_, agent::kAgentPort));
    TRY(setNonBlocking(stream));
    return agent::AgentClient(std::move(stream));
  };
  const FirstReply reply = TRY(waitForFirstReply(connect, process_, pause));
  return reply.time;
}

}  // namespace qm::bench
