// A VMM without a guest. Its "memory" is one nonce, made at InstanceStart, saved with a snapshot and loaded from it.
//   fake-vmm --api-sock PATH --id ID
// A kernel whose name has "bad" in it is refused, and so is a state file that does not begin with "fake state".
#include <signal.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <mutex>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "api/daemon/server/server.h"
#include "api/daemon/vm/testing/fake_agent.h"
#include "vmm/os/random.h"

namespace qm::test {
namespace {

namespace json = boost::json;

rest::Response refused(const char* sentence) {
  return {.status = 400, .body = json::serialize(json::object{{"fault_message", sentence}})};
}
const rest::Response kDone{.status = 204, .contentType = ""};

std::string textOf(const json::value& value, const char* name) {
  return std::string(value.at(name).as_string());
}

void writeFile(const std::string& path, std::span<const std::byte> bytes) {
  const FileDescriptor file = openFile(path, OpenMode::createNew).value();
  writeAll(file, bytes).value();
}

class FakeVmm {
 public:
  rest::Response configure(const rest::Request& request) {
    const bool bad = request.target == "/boot-source" && request.body.find("bad") != std::string::npos;
    return bad ? refused("The kernel file is no kernel.") : kDone;
  }
  rest::Response start() {
    fillRandom(std::as_writable_bytes(std::span(&nonce_, 1)));
    agent_ = std::make_unique<FakeAgent>("vsock.sock", nonce_);
    return kDone;
  }
  rest::Response save(const rest::Request& request) {
    const json::value body = json::parse(request.body);
    constexpr std::string_view kState = "fake state";
    writeFile(textOf(body, "snapshot_path"), std::as_bytes(std::span(kState)));
    writeFile(textOf(body, "mem_file_path"), std::as_bytes(std::span(&nonce_, 1)));
    return kDone;
  }
  rest::Response load(const rest::Request& request) {
    const json::value body = json::parse(request.body);
    const auto state = readWholeFile(textOf(body, "snapshot_path"), 100);
    if (!state.has_value() || state->size() != std::strlen("fake state")) return refused("The snapshot is cut.");
    const auto memory = readWholeFile(textOf(body.at("mem_backend"), "backend_path"), sizeof nonce_).value();
    std::memcpy(&nonce_, memory.data(), sizeof nonce_);
    agent_ = std::make_unique<FakeAgent>(textOf(body.at("vsock_override"), "uds_path"), nonce_);
    return kDone;
  }

 private:
  std::uint64_t nonce_ = 0;
  std::unique_ptr<FakeAgent> agent_;
};

std::vector<rest::Route> routes(FakeVmm& vmm) {
  using Ask = const rest::Request&;
  using Path = const rest::PathValues&;
  const rest::Handler configure = [&vmm](Ask ask, Path) { return vmm.configure(ask); };
  return {{"PUT", "/machine-config", "", configure},
          {"PUT", "/boot-source", "", configure},
          {"PUT", "/drives/{id}", "", configure},
          {"PUT", "/vsock", "", configure},
          {"PUT", "/entropy", "", configure},
          {"PATCH", "/vm", "", configure},
          {"PUT", "/actions", "", [&vmm](Ask, Path) { return vmm.start(); }},
          {"PUT", "/snapshot/create", "", [&vmm](Ask ask, Path) { return vmm.save(ask); }},
          {"PUT", "/snapshot/load", "", [&vmm](Ask ask, Path) { return vmm.load(ask); }}};
}

}  // namespace
}  // namespace qm::test

int main(int count, char** words) {
  if (count < 3 || std::string_view(words[1]) != "--api-sock") return 2;
  qm::test::FakeVmm vmm;
  const qm::rest::Router router(qm::test::routes(vmm));
  const auto server = qm::Server::start({.socket = words[2], .threads = 1}, router, qm::Log::silent());
  if (!server.has_value()) return 1;
  for (;;) ::pause();
}
