// quickmatch-vmm by itself over real guests: a guest's life through its REST interface, and what it refuses.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/service/lone_vmm.h"

namespace qm::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::uint64_t guestNonce(agent::AgentClient& agent) {
  const auto pong = agent.ping(7, std::chrono::steady_clock::now() + kPatience);
  EXPECT_TRUE(pong.has_value()) << pong.error().text();
  return pong.has_value() ? pong->guestNonce : 0;
}

// One guest that was booted, paused and saved, for all tests.
class LoneVmmTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    original_ = std::make_unique<LoneVmm>();
    original_->boot();
    agent::AgentClient agent = original_->agent("vsock.sock");
    nonce_ = guestNonce(agent);
    original_->patch("/vm", R"({"state":"Paused"})");
    original_->put("/snapshot/create", R"({"snapshot_path":"state","mem_file_path":"memory"})");
  }
  static void TearDownTestSuite() { original_.reset(); }

  static std::filesystem::path state() { return original_->folder() / "state"; }
  static std::filesystem::path memory() { return original_->folder() / "memory"; }
  static std::vector<std::byte> stateBytes() { return readWholeFile(state(), 64U << 20U).value(); }
  static void write(const std::filesystem::path& path, std::span<const std::byte> bytes) {
    const FileDescriptor file = openFile(path, OpenMode::create).value();
    ASSERT_TRUE(writeAll(file, bytes).has_value());
  }

  static inline std::unique_ptr<LoneVmm> original_;
  static inline std::uint64_t nonce_ = 0;
};

TEST_F(LoneVmmTest, ASnapshotGoesOnInAnotherVmmAtAnotherVsockSocket) {
  LoneVmm clone;
  clone.put("/snapshot/load", loadRequest(state(), memory()));
  EXPECT_EQ(clone.get("/").at("state"), "Running");
  agent::AgentClient agent = clone.agent("other.sock");
  EXPECT_EQ(guestNonce(agent), nonce_);
  EXPECT_FALSE(std::filesystem::exists(clone.folder() / "vsock.sock"));
  EXPECT_GT(clone.get("/qm/times").at("restore_us").as_int64(), 0);
}

TEST_F(LoneVmmTest, TheOneThatWasSavedGoesOnToo) {
  EXPECT_EQ(original_->get("/").at("state"), "Paused");
  original_->patch("/vm", R"({"state":"Resumed"})");
  agent::AgentClient agent = original_->agent("vsock.sock");
  EXPECT_EQ(guestNonce(agent), nonce_);
  EXPECT_GT(original_->get("/qm/times").at("boot_time_us").as_int64(), 0);
  EXPECT_THAT(original_->fault("PUT", "/snapshot/create", R"({"snapshot_path":"s","mem_file_path":"m"})"),
              StartsWith("Create snapshot error: "));
}

// One VMM for all of them: what it refuses leaves it as it was, so that a whole snapshot is still taken at the end.
TEST_F(LoneVmmTest, AStateThatWasCutAnywhereIsRefusedInASentence) {
  LoneVmm vmm;
  const std::vector<std::byte> whole = stateBytes();
  constexpr std::size_t kCuts = 50;
  for (std::size_t i = 0; i < kCuts; ++i) {
    const std::size_t bytes = whole.size() * i / kCuts;
    write(vmm.folder() / "cut", std::span(whole).first(bytes));
    EXPECT_THAT(vmm.fault("PUT", "/snapshot/load", loadRequest("cut", memory())), StartsWith("Load snapshot error: "))
        << bytes;
  }
  vmm.put("/snapshot/load", loadRequest(state(), memory()));
}

TEST_F(LoneVmmTest, AStateWithAFlippedBitAnywhereIsRefusedInASentence) {
  LoneVmm vmm;
  std::vector<std::byte> bytes = stateBytes();
  constexpr std::size_t kFlips = 50;
  for (std::size_t i = 0; i < kFlips; ++i) {
    // All of the header's first bytes, and then some of everything.
    const std::size_t at = i < 20 ? i : bytes.size() * i / kFlips;
    bytes[at] ^= std::byte{0x10};
    write(vmm.folder() / "flipped", bytes);
    EXPECT_THAT(vmm.fault("PUT", "/snapshot/load", loadRequest("flipped", memory())),
                StartsWith("Load snapshot error: "))
        << at;
    bytes[at] ^= std::byte{0x10};
  }
  vmm.put("/snapshot/load", loadRequest(state(), memory()));
}

TEST_F(LoneVmmTest, AMemoryFileOfAnotherSizeIsRefusedWithBothSizes) {
  LoneVmm vmm;
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{4096}, std::size_t{4097}}) {
    write(vmm.folder() / "short", std::vector<std::byte>(bytes));
    const std::string sentence = vmm.fault("PUT", "/snapshot/load", loadRequest(state(), "short"));
    EXPECT_THAT(sentence, HasSubstr(fmt::format("has {} bytes where the snapshot's state wants {}", bytes, 64 << 20)));
  }
  EXPECT_THAT(vmm.fault("PUT", "/snapshot/load", loadRequest("none", "none")), HasSubstr("none"));
  EXPECT_THAT(vmm.fault("PUT", "/snapshot/load", loadRequest(vmm.folder(), memory())),
              HasSubstr("Load snapshot error"));
}

TEST_F(LoneVmmTest, AKernelThatCannotBeBootedIsRefusedInASentence) {
  LoneVmm vmm;
  const std::vector<std::byte> kernel = readWholeFile(kernelProduct(), 256U << 20U).value();
  write(vmm.folder() / "empty", {});
  write(vmm.folder() / "text", std::as_bytes(std::span("#!/bin/sh\necho this is no kernel at all\n")));
  write(vmm.folder() / "header", std::span(kernel).first(64));
  write(vmm.folder() / "half", std::span(kernel).first(kernel.size() / 2));
  std::vector<std::byte> elsewhere = kernel;
  elsewhere[0x1f] = std::byte{0x7f};  // ELF-64 specification, e_entry's most significant byte: outside of any memory
  write(vmm.folder() / "elsewhere", elsewhere);
  vmm.put("/machine-config", R"({"vcpu_count":1,"mem_size_mib":64})");
  for (const char* name : {"empty", "text", "header", "half", "elsewhere", ".", "/dev/null"}) {
    const HttpAnswer named = Asking(vmm.folder() / "api.sock")
                                 .answer("PUT", "/boot-source", fmt::format(R"({{"kernel_image_path":"{}"}})", name));
    EXPECT_EQ(named.status, 204) << named.body;
    const std::string sentence = vmm.fault("PUT", "/actions", R"({"action_type":"InstanceStart"})");
    EXPECT_THAT(sentence, StartsWith("Start microvm error: ")) << name;
    EXPECT_GT(sentence.size(), 40U) << name << ": " << sentence;
    RecordProperty(std::string("kernel ") + name, sentence);
  }
  EXPECT_EQ(vmm.get("/").at("state"), "Not started");
}

TEST_F(LoneVmmTest, AGuestWithoutRoomForItsKernelIsRefusedInASentence) {
  LoneVmm vmm;
  vmm.put("/machine-config", R"({"vcpu_count":1,"mem_size_mib":4})");
  vmm.put("/boot-source", R"({"kernel_image_path":")" + kernelProduct().string() + "\"}");
  EXPECT_THAT(vmm.fault("PUT", "/actions", R"({"action_type":"InstanceStart"})"), StartsWith("Start microvm error: "));
}

TEST_F(LoneVmmTest, HostileIdsAndPathsAreRefusedAndServingGoesOn) {
  LoneVmm vmm;
  const std::string drive = R"({"drive_id":"a","path_on_host":"d","is_root_device":true})";
  constexpr const char* kBadId = "API Resource IDs can only contain alphanumeric characters and underscores.";
  for (const char* target : {"/drives/../a", "/drives/a/b", "/drives/%61", "/drives/a?b", "/drives/a-b"}) {
    EXPECT_EQ(vmm.fault("PUT", target, drive), kBadId) << target;
  }
  EXPECT_EQ(vmm.fault("PUT", "/drives/", drive), "The ID cannot be empty.");
  EXPECT_THAT(vmm.fault("PUT", "/drives/" + std::string(1000, 'b'), drive), HasSubstr("does not match the id"));
  EXPECT_THAT(vmm.fault("PUT", "/drives/b", drive), HasSubstr("does not match the id"));
  EXPECT_THAT(vmm.fault("PUT", "/../machine-config", "{}"), StartsWith("Invalid request method and/or path"));
  EXPECT_THAT(vmm.fault("DELETE", "/vm", ""), StartsWith("Invalid request method and/or path"));
  EXPECT_THAT(vmm.fault("PUT", "/vsock", R"({"guest_cid":2,"uds_path":"v"})"), HasSubstr("guest_cid"));
  EXPECT_FALSE(vmm.fault("PUT", "/vsock", R"({"guest_cid":3,"uds_path":"a\u0000b"})").empty());
  EXPECT_FALSE(vmm.fault("PUT", "/machine-config", std::string(20'000, '[')).empty());
  EXPECT_EQ(vmm.get("/").at("state"), "Not started");
}

}  // namespace
}  // namespace qm::test
