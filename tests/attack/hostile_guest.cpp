#include "tests/attack/hostile_guest.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/attack/busy_host.h"
#include "tests/attack/initramfs.h"

namespace qm::test {

namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t kGuestMemoryMib = 64;
// What the daemon's control groups give a VMM besides (docs/security.md).
constexpr std::uint64_t kAllowanceMib = 64;
// A few lines, however often the guest did what they tell of.
constexpr std::size_t kMostLogBytes = 16'384;

std::string textOf(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string quoted(const std::filesystem::path& path) {
  return "\"" + path.native() + "\"";
}

}  // namespace

HostilePlan linuxGuest(const std::string& deed) {
  return {.deed = deed, .kernel = kernelProduct(), .init = QM_HOSTILE_GUEST};
}

HostileGuest::HostileGuest(const HostilePlan& plan) : deed(plan.deed) {
  vmm.put("/machine-config", R"({"vcpu_count":1,"mem_size_mib":)" + std::to_string(kGuestMemoryMib) + "}");
  std::string initrd;
  if (!plan.init.empty()) {
    writeInitramfs(plan.init, vmm.folder() / "init.cpio");
    initrd = R"("initrd_path":)" + quoted(vmm.folder() / "init.cpio") + ",";
  }
  vmm.put("/boot-source", R"({"kernel_image_path":)" + quoted(plan.kernel) + "," + initrd +
                              R"("boot_args":"console=ttyS0 reboot=k panic=-1 quiet deed=)" + deed + "\"}");
  if (plan.hasDisk) {
    std::ofstream(vmm.folder() / "disk") << std::string(1U << 20U, 'd');
    vmm.put("/drives/disk", R"({"drive_id":"disk","is_root_device":false,"is_read_only":false,"path_on_host":)" +
                                quoted(vmm.folder() / "disk") + "}");
  }
  if (!plan.tap.empty())
    vmm.put("/network-interfaces/net", R"({"iface_id":"net","host_dev_name":")" + plan.tap + "\"}");
  vmm.put("/vsock", R"({"guest_cid":3,"uds_path":"vsock.sock"})");
  vmm.put("/entropy", "{}");
  vmm.put("/actions", R"({"action_type":"InstanceStart"})");
}

std::string HostileGuest::console() const {
  return textOf(vmm.folder() / "console");
}
std::string HostileGuest::log() const {
  return textOf(vmm.folder() / "log");
}

std::uint64_t HostileGuest::peakMemoryMib() const {
  std::istringstream status(textOf("/proc/" + std::to_string(vmm.process().pid()) + "/status"));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) / 1024;
  }
  return 0;  // it has ended
}

Neighbour::Neighbour() {
  vmm_.boot();
  nonce_ = vmm_.agent("vsock.sock").ping(1, std::chrono::steady_clock::now() + kPatience).value().guestNonce;
}

void Neighbour::expectTheSameAnswer() {
  const auto pong = vmm_.agent("vsock.sock").ping(2, std::chrono::steady_clock::now() + std::chrono::seconds(10));
  ASSERT_TRUE(pong.has_value()) << pong.error().text();
  EXPECT_EQ(pong->guestNonce, nonce_);
}

void expectGoesOnInAnotherVmm(HostilePlan plan) {
  plan.deed += "+";
  const TempFolder saved;
  {
    HostileGuest guest(plan);
    const BusyHost host(guest.vmm.folder() / "vsock.sock");
    ASSERT_TRUE(eventually([&] { return guest.hasSaid("once more"); })) << guest.console();
    guest.vmm.patch("/vm", R"({"state":"Paused"})");
    guest.vmm.put("/snapshot/create", R"({"snapshot_path":)" + quoted(saved.path() / "state") + R"(,"mem_file_path":)" +
                                          quoted(saved.path() / "memory") + "}");
  }
  LoneVmm next;
  const BusyHost host(next.folder() / "vsock.sock");
  const std::string tap = plan.tap.empty() ? "" : R"({"iface_id":"net","host_dev_name":")" + plan.tap + "\"}";
  next.put("/snapshot/load", R"({"snapshot_path":)" + quoted(saved.path() / "state") +
                                 R"(,"mem_backend":{"backend_type":"File","backend_path":)" +
                                 quoted(saved.path() / "memory") + R"(},"resume_vm":true,"network_overrides":[)" + tap +
                                 R"(],"vsock_override":{"uds_path":"vsock.sock"}})");
  EXPECT_TRUE(eventually([&] { return textOf(next.folder() / "console").contains("once more"); }))
      << textOf(next.folder() / "log");
  EXPECT_EQ(next.get("/").at("state"), "Running");
  EXPECT_THAT(textOf(next.folder() / "console"), Not(HasSubstr("there is no")));
}

void expectLeavesItsVmmAliveOrEndedWithAReason(HostileGuest& guest) {
  std::uint64_t peak = 0;
  const auto isOver = [&] {
    peak = std::max(peak, guest.peakMemoryMib());
    return guest.hasEnded() || guest.hasSaid("deed " + guest.deed + " is done");
  };
  ASSERT_TRUE(eventually(isOver)) << guest.console();
  EXPECT_THAT(guest.console(), HasSubstr("deed " + guest.deed + " begins")) << guest.log();
  EXPECT_THAT(guest.console(), Not(HasSubstr("there is no"))) << "the deed found nothing to do it to";
  EXPECT_LE(peak, kGuestMemoryMib + kAllowanceMib);
  // What it did last is still under way: the machine's reset follows at once.
  const bool hasEnded = guest.vmm.process().waitForEnd(std::chrono::steady_clock::now() + std::chrono::seconds(5));
  EXPECT_LE(guest.log().size(), kMostLogBytes);
  EXPECT_THAT(guest.log(), Not(HasSubstr("seccomp.refused")));
  if (!hasEnded) {
    EXPECT_EQ(guest.vmm.get("/").at("state"), "Running");
    return;
  }
  const std::optional<ProcessEnd> end = guest.vmm.process().reap();
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->signal, 0) << guest.log();
  EXPECT_THAT(guest.log(), testing::AnyOf(HasSubstr("vm.ended"), HasSubstr("vm.failed")));
  EXPECT_FALSE(std::filesystem::exists(guest.vmm.folder() / "vsock.sock")) << "it took nothing with it";
}

}  // namespace qm::test
