// quickmatch-vmm by itself, in a temporary folder, with a client of its REST interface and one of the guest's agent.
#pragma once

#include <signal.h>

#include <chrono>
#include <string>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "api/daemon/testing/asking.h"
#include "tests/products.h"
#include "tests/service/real_daemon.h"
#include "vmm/guest/client/agent_client.h"
#include "vmm/os/process.h"
#include "vmm/os/testing/temp_folder.h"
#include "vmm/os/unix_socket.h"

namespace qm::test {

class LoneVmm {
 public:
  LoneVmm() {
    process_ = Process::start({.executable = QM_VMM,
                               .arguments = {"--api-sock", "api.sock", "--console", "console", "--hypervisor",
                                             hypervisorUnderTest()},
                               .folder = folder(),
                               .output = folder() / "log"})
                   .value();
    EXPECT_TRUE(eventually([this] { return connectUnix(folder() / "api.sock", Blocking::yes).has_value(); }));
  }
  LoneVmm(const LoneVmm&) = delete;
  LoneVmm& operator=(const LoneVmm&) = delete;
  ~LoneVmm() {
    EXPECT_TRUE(process_.signal(SIGKILL).has_value());
    process_.reap();
  }

  const Process& process() const { return process_; }
  const std::filesystem::path& folder() const { return folder_.path(); }
  void put(const std::string& target, const std::string& body) { client_.ask("PUT", target, 204, body); }
  void patch(const std::string& target, const std::string& body) { client_.ask("PATCH", target, 204, body); }
  json::value get(const std::string& target) { return client_.ask("GET", target, 200); }
  // The sentence with which it refuses.
  std::string fault(std::string_view method, const std::string& target, const std::string& body) {
    const json::value refused = client_.ask(method, target, 400, body);
    const json::value* sentence = refused.is_object() ? refused.get_object().if_contains("fault_message") : nullptr;
    if (sentence != nullptr) return std::string(sentence->as_string());
    ADD_FAILURE() << "no fault_message for " << method << " " << target << " " << body;
    return {};
  }

  void boot() {
    put("/machine-config", R"({"vcpu_count":1,"mem_size_mib":64})");
    put("/boot-source", R"({"kernel_image_path":")" + kernelProduct().string() + R"(","initrd_path":")" +
                            imageProduct("hello.cpio").string() +
                            R"(","boot_args":"console=ttyS0 reboot=k panic=-1 quiet"})");
    put("/vsock", R"({"guest_cid":3,"uds_path":"vsock.sock"})");
    put("/entropy", "{}");
    put("/actions", R"({"action_type":"InstanceStart"})");
  }
  // By the vsock's Unix socket of that name in the VMM's folder.
  agent::AgentClient agent(const char* socket) const {
    std::optional<agent::AgentClient> client;
    EXPECT_TRUE(eventually([&] {
      auto connected = agent::AgentClient::connect(folder() / socket, std::chrono::steady_clock::now() + kPatience);
      if (connected.has_value()) client.emplace(*std::move(connected));
      return client.has_value();
    }));
    return std::move(client).value();
  }

 private:
  TempFolder folder_;
  Process process_;
  Asking client_{folder_.path() / "api.sock"};
};

inline std::string loadRequest(const std::filesystem::path& state, const std::filesystem::path& memory) {
  return R"({"snapshot_path":")" + state.string() + R"(","mem_backend":{"backend_type":"File","backend_path":")" +
         memory.string() + R"("},"resume_vm":true,"vsock_override":{"uds_path":"other.sock"}})";
}

}  // namespace qm::test
