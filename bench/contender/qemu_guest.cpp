#include "bench/contender/qemu_guest.h"

#include <signal.h>

#include <array>
#include <system_error>

#include <fmt/format.h>

#include "bench/start/agent_reply.h"
#include "vmm/os/unix_socket.h"

namespace qm::bench {

namespace {

constexpr std::array kFiles{".monitor", ".port", ".console", ".log"};

std::filesystem::path beside(const std::filesystem::path& base, const char* ending) {
  return base.native() + ending;
}

}  // namespace

Result<std::unique_ptr<QemuGuest>> QemuGuest::start(const QemuPlan& plan) {
  const auto listens = [&](const char* ending) {
    return fmt::format("{},server=on,wait=off", beside(plan.base, ending).native());
  };
  // The console comes first: the guest's kernel numbers devices in the order in which they are named, and the port by
  // it.
  std::vector<std::string> words{"-device",  "virtio-serial-device",
                                 "-chardev", "socket,id=port,path=" + listens(".port"),
                                 "-device",  "virtserialport,chardev=port",
                                 "-qmp",     "unix:" + listens(".monitor"),
                                 "-serial",  "file:" + beside(plan.base, ".console").native()};
  words.insert(words.end(), plan.arguments.begin(), plan.arguments.end());
  StartPlan start{.executable = plan.qemu,
                  .arguments = std::move(words),
                  .folder = {},
                  .output = beside(plan.base, ".log"),
                  .descriptors = {}};
  if (plan.descriptor != nullptr) start.descriptors.push_back({.ours = plan.descriptor->get(), .number = 3});
  return std::make_unique<QemuGuest>(plan.base, TRY(Process::start(start)));
}

QemuGuest::~QemuGuest() {
  if (process_.descriptor().isOpen()) static_cast<void>(end());
  std::error_code ignored;
  for (const char* ending : kFiles) std::filesystem::remove(beside(base_, ending), ignored);
}

Result<std::optional<std::uint64_t>> QemuGuest::end() {
  TRY(process_.signal(SIGKILL));
  static_cast<void>(process_.reap());
  process_ = Process();
  return std::nullopt;
}

Result<Clock::time_point> QemuGuest::waitForReply(std::chrono::milliseconds pause) {
  // QEMU keeps what is sent until the guest has opened the port: one ping is enough.
  const Connect connect = [this]() -> Result<agent::AgentClient> {
    return agent::AgentClient(TRY(connectUnix(beside(base_, ".port"), Blocking::no)));
  };
  Result<FirstReply> reply = waitForFirstReply(connect, process_, pause);
  if (!reply.has_value()) return std::move(reply).error().during(said());
  agent_ = std::move(reply->agent);
  return reply->time;
}

std::string QemuGuest::said() const {
  constexpr std::uint64_t kLongest = 65'536;
  std::string text = "QEMU, which said";
  for (const char* ending : {".log", ".console"}) {
    const std::vector<std::byte> bytes =
        readWholeFile(beside(base_, ending), kLongest).value_or(std::vector<std::byte>());
    text += fmt::format(" \"{}\"", std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }
  return text;
}

Result<QemuMonitor> QemuGuest::monitor() const {
  const Clock::time_point last = deadline();
  for (;;) {
    Result<QemuMonitor> monitor = QemuMonitor::connect(beside(base_, ".monitor"));
    const Clock::time_point now = Clock::now();
    if (monitor.has_value()) return monitor;
    if (now >= last) return std::move(monitor).error().during(said());
    if (process_.waitForEnd(now + std::chrono::microseconds(300)))
      return Error(Remedy::giveUp, "it ended").during(said());
  }
}

}  // namespace qm::bench
