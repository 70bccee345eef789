#include "bench/start/qemu_vm.h"

#include <signal.h>

#include <system_error>
#include <thread>
#include <vector>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "api/json/fields.h"
#include "bench/start/agent_reply.h"
#include "vmm/guest/protocol/agent_values.h"
#include "vmm/os/unix_socket.h"
#include "vmm/os/vsock_socket.h"
#include "vmm/os/wait.h"

namespace qm::bench {

namespace {

using boost::json::object;

// QEMU's monitor, machine protocol: one JSON object a line.
class Monitor {
 public:
  static Result<Monitor> connect(const std::filesystem::path& socket) {
    Monitor monitor(TRY(connectUnix(socket, Blocking::yes)));
    TRY(monitor.line());  // the greeting
    TRY(monitor.execute({{"execute", "qmp_capabilities"}}));
    return monitor;
  }

  // What the command returns; events that come before are dropped.
  Result<object> execute(const object& command) {
    const std::string text = boost::json::serialize(command) + "\n";
    TRY(writeAll(socket_, std::as_bytes(std::span(text))));
    for (;;) {
      object answer = TRY(line());
      if (answer.contains("error"))
        return Error(Remedy::giveUp, "QEMU refuses: " + boost::json::serialize(answer["error"]));
      if (const boost::json::value* done = answer.if_contains("return"))
        return done->is_object() ? done->get_object() : object{};
    }
  }

 private:
  explicit Monitor(FileDescriptor socket) : socket_(std::move(socket)) {}

  Result<object> line() {
    std::size_t end = read_.find('\n');
    while (end == std::string::npos) {
      TRY(waitReadable(socket_, deadline()));
      std::array<std::byte, 4096> bytes{};
      const std::size_t count = TRY(readSome(socket_, bytes));
      if (count == 0) return Error(Remedy::giveUp, "QEMU closed its monitor");
      read_.append(reinterpret_cast<const char*>(bytes.data()), count);
      end = read_.find('\n');
    }
    const boost::json::value value = TRY(parseJson(std::string_view(read_).substr(0, end)));
    read_.erase(0, end + 1);
    if (!value.is_object()) return Error(Remedy::giveUp, "QEMU's monitor answers no object");
    return value.get_object();
  }

  FileDescriptor socket_;
  std::string read_;
};

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
  Monitor monitor = TRY(Monitor::connect(monitor_));
  TRY(monitor.execute({{"execute", "migrate"}, {"arguments", object{{"uri", "exec:cat >" + file.string()}}}}));
  const Clock::time_point last = deadline();
  while (Clock::now() < last) {
    object answer = TRY(monitor.execute({{"execute", "query-migrate"}}));
    const std::string status = answer.contains("status") ? std::string(answer["status"].as_string()) : "none";
    if (status == "completed") return {};
    if (status == "failed" || status == "cancelled")
      return Error(Remedy::giveUp, "QEMU's migration " + boost::json::serialize(answer));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return Error(Remedy::giveUp, "QEMU did not save its guest in time");
}

Result<Clock::time_point> QemuVm::waitForReply(std::chrono::milliseconds pause) const {
  const Connect connect = [this]() -> Result<agent::AgentClient> {
    FileDescriptor stream = TRY(connectVsock(cid_, agent::kAgentPort));
    TRY(setNonBlocking(stream));
    return agent::AgentClient(std::move(stream));
  };
  return bench::waitForReply(connect, process_, pause);
}

}  // namespace qm::bench
