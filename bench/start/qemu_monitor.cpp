#include "bench/start/qemu_monitor.h"

#include <array>
#include <thread>

#include <boost/json/serialize.hpp>

#include "api/json/fields.h"
#include "bench/start/clock.h"
#include "vmm/os/unix_socket.h"
#include "vmm/os/wait.h"

namespace qm::bench {

using boost::json::object;

Result<QemuMonitor> QemuMonitor::connect(const std::filesystem::path& socket) {
  QemuMonitor monitor(TRY(connectUnix(socket, Blocking::yes)));
  TRY(monitor.line());  // the greeting
  TRY(monitor.execute({{"execute", "qmp_capabilities"}}));
  return monitor;
}

Result<object> QemuMonitor::execute(const object& command) {
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

Result<object> QemuMonitor::line() {
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

Status QemuMonitor::saveGuest(const std::filesystem::path& file) {
  // Version 7.2 reads and writes files by way of a program only.
  TRY(execute({{"execute", "migrate"}, {"arguments", object{{"uri", "exec:cat >" + file.string()}}}}));
  const Clock::time_point last = deadline();
  while (Clock::now() < last) {
    object answer = TRY(execute({{"execute", "query-migrate"}}));
    const std::string status = answer.contains("status") ? std::string(answer["status"].as_string()) : "none";
    if (status == "completed") return {};
    if (status == "failed" || status == "cancelled")
      return Error(Remedy::giveUp, "QEMU's migration " + boost::json::serialize(answer));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return Error(Remedy::giveUp, "QEMU did not save its guest in time");
}

}  // namespace qm::bench
