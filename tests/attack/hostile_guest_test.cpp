// A guest that does one hostile thing to its machine: the VMM lives on, or ends with a reason, and never by accident.
#include <signal.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/attack/deed_name.h"
#include "tests/attack/initramfs.h"
#include "tests/service/lone_vmm.h"

namespace qm::test {
namespace {

using testing::HasSubstr;

std::string textOf(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class HostileGuest {
 public:
  explicit HostileGuest(const std::string& deed) {
    writeInitramfs(QM_HOSTILE_GUEST, vmm.folder() / "init.cpio");
    std::ofstream(vmm.folder() / "disk") << std::string(1U << 20U, 'd');
    vmm.put("/machine-config", R"({"vcpu_count":1,"mem_size_mib":64})");
    vmm.put("/boot-source", R"({"kernel_image_path":")" + kernelProduct().string() + R"(","initrd_path":")" +
                                (vmm.folder() / "init.cpio").string() +
                                R"(","boot_args":"console=ttyS0 reboot=k panic=-1 quiet deed=)" + deed + "\"}");
    vmm.put("/drives/disk", R"({"drive_id":"disk","is_root_device":false,"is_read_only":false,"path_on_host":")" +
                                (vmm.folder() / "disk").string() + "\"}");
    vmm.put("/vsock", R"({"guest_cid":3,"uds_path":"vsock.sock"})");
    vmm.put("/entropy", "{}");
    vmm.put("/actions", R"({"action_type":"InstanceStart"})");
  }
  std::string console() const { return textOf(vmm.folder() / "console"); }
  bool hasSaid(const std::string& line) const { return console().contains(line); }
  bool hasEnded() const { return vmm.process().waitForEnd(std::chrono::steady_clock::now()); }

  LoneVmm vmm;
};

class HostileDeed : public testing::TestWithParam<const char*> {};

TEST_P(HostileDeed, LeavesItsVmmAliveOrEndedWithAReason) {
  const std::string deed = GetParam();
  HostileGuest guest(deed);
  ASSERT_TRUE(eventually([&] { return guest.hasEnded() || guest.hasSaid("deed " + deed + " is done"); }))
      << guest.console();
  EXPECT_THAT(guest.console(), HasSubstr("deed " + deed + " begins")) << textOf(guest.vmm.folder() / "log");
  // What it did last is still under way: the machine's reset follows at once.
  const bool hasEnded = guest.vmm.process().waitForEnd(std::chrono::steady_clock::now() + std::chrono::seconds(5));
  if (!hasEnded) {
    EXPECT_EQ(guest.vmm.get("/").at("state"), "Running");
    return;
  }
  const std::optional<ProcessEnd> end = guest.vmm.process().reap();
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->signal, 0) << textOf(guest.vmm.folder() / "log");
  EXPECT_THAT(textOf(guest.vmm.folder() / "log"), testing::AnyOf(HasSubstr("vm.ended"), HasSubstr("vm.failed")));
  EXPECT_THAT(textOf(guest.vmm.folder() / "log"), testing::Not(HasSubstr("seccomp.refused")));
}

INSTANTIATE_TEST_SUITE_P(Deeds, HostileDeed,
                         testing::Values("every-register", "every-chip", "status-by-chance", "console-flood",
                                         "queues-nowhere", "buffers-nowhere", "chain-in-a-circle", "indirect-nested",
                                         "lengths-huge", "ring-runs-ahead", "sizes-odd", "reset-in-flight",
                                         "requests-by-chance"),
                         &deedName);

class HostileAgent : public testing::TestWithParam<const char*> {};

TEST_P(HostileAgent, GetsTheHostAnErrorAndNothingElse) {
  const HostileGuest guest(GetParam());
  ASSERT_TRUE(eventually([&] { return guest.hasEnded() || guest.hasSaid("listening"); })) << guest.console();
  for (int attempt = 0; attempt < 3; ++attempt) {
    agent::AgentClient agent = guest.vmm.agent("vsock.sock");
    const auto pong = agent.ping(7, std::chrono::steady_clock::now() + kPatience);
    ASSERT_FALSE(pong.has_value());
    EXPECT_FALSE(pong.error().text().empty());
    EXPECT_NE(pong.error().remedy(), Remedy::retry) << pong.error().text();
  }
  EXPECT_FALSE(guest.hasEnded());
}

INSTANTIATE_TEST_SUITE_P(Deeds, HostileAgent,
                         testing::Values("agent-garbage", "agent-endless", "agent-long-frame", "agent-cut-frame"),
                         &deedName);

}  // namespace
}  // namespace qm::test
