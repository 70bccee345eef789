// quickmatch-vmm by itself, with time by instructions and a script of host input: the same script gives the same
// snapshots, byte for byte, and a snapshot comes to the same as the guest that ran on. On the CPU in software only.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "api/daemon/testing/asking.h"
#include "tests/products.h"
#include "vmm/guest/protocol/frame_reader.h"
#include "vmm/guest/protocol/reply_codec.h"
#include "vmm/guest/protocol/request_codec.h"
#include "vmm/os/process.h"
#include "vmm/os/testing/temp_folder.h"
#include "vmm/os/unix_socket.h"

namespace qm::test {
namespace {

constexpr std::uint64_t kMostFileBytes = 256U << 20U;
// Long for a machine that other work slows down.
constexpr std::chrono::minutes kPatience{2};

// As a word of a script that may hold any byte.
std::string quoted(std::span<const std::byte> bytes) {
  std::string word = "\"";
  for (const std::byte byte : bytes) word += fmt::format("\\x{:02x}", std::to_integer<unsigned>(byte));
  return word + "\"";
}

std::string pingWord(std::uint64_t nonce) {
  return quoted(agent::encodeRequest({.id = nonce, .body = agent::Ping{.nonce = nonce}}).value());
}

std::string runWord(std::string command) {
  return quoted(agent::encodeRequest({.id = 1,
                                      .body = agent::Run{.argv = {"/bin/sh", "-c", std::move(command)},
                                                         .env = {},
                                                         .cwd = {},
                                                         .stdin = {},
                                                         .timeoutMs = 0,
                                                         .user = {},
                                                         .outputLimit = 1000}})
                    .value());
}

// One run of the program in a folder of its own.
class ScriptedVmm {
 public:
  // A machine that is booted, whose script ends the program.
  void boot(const std::string& image, const std::string& script, std::uint64_t seed = 7, int code = 0) {
    write("script", script);
    write("machine.json", R"({"boot-source":{"kernel_image_path":")" + kernelProduct().string() +
                              R"(","initrd_path":")" + imageProduct(image.c_str()).string() +
                              R"(","boot_args":"console=ttyS0 reboot=k panic=-1 quiet"},)"
                              R"("machine-config":{"vcpu_count":1,"mem_size_mib":64},)"
                              R"("vsock":{"guest_cid":3,"uds_path":"vsock.sock"},"entropy":{}})");
    start({"--config-file", "machine.json", "--no-api"}, seed);
    awaitEnd(code);
  }
  // One that goes on from files of another run.
  void restore(const ScriptedVmm& other, const std::string& state, const std::string& memory,
               const std::string& script) {
    write("script", script);
    start({"--api-sock", "api.sock"}, 99);  // its sequences are the snapshot's
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!connectUnix(path("api.sock"), Blocking::yes).has_value()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << log();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    Asking client(path("api.sock"));
    client.ask("PUT", "/snapshot/load", 204,
               R"({"snapshot_path":")" + other.path(state).string() +
                   R"(","mem_backend":{"backend_type":"File","backend_path":")" + other.path(memory).string() +
                   R"("},"resume_vm":true,"vsock_override":{"uds_path":"vsock.sock"}})");
    awaitEnd(0);
  }

  std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }
  std::vector<std::byte> bytes(const std::string& name) const {
    const auto read = readWholeFile(path(name), kMostFileBytes);
    EXPECT_TRUE(read.has_value()) << log();
    return read.value_or(std::vector<std::byte>{});
  }
  std::string text(const std::string& name) const {
    const std::vector<std::byte> all = bytes(name);
    return {reinterpret_cast<const char*>(all.data()), all.size()};
  }
  std::string log() const {
    const auto read = readWholeFile(path("log"), kMostFileBytes);
    return read.has_value() ? std::string(reinterpret_cast<const char*>(read->data()), read->size()) : std::string();
  }

 private:
  void write(const std::string& name, std::string_view text) const {
    const FileDescriptor file = openFile(path(name), OpenMode::create).value();
    ASSERT_TRUE(writeAll(file, std::as_bytes(std::span(text))).has_value());
  }
  void start(std::vector<std::string> words, std::uint64_t seed) {
    for (std::string word : {"--console", "console", "--clock", "instructions", "--input-script", "script", "--seed"})
      words.push_back(std::move(word));
    words.push_back(std::to_string(seed));
    process_ =
        Process::start(
            {.executable = QM_VMM, .arguments = std::move(words), .folder = folder_.path(), .output = path("log")})
            .value();
  }
  void awaitEnd(int code) {
    const bool ended = process_.waitForEnd(std::chrono::steady_clock::now() + kPatience);
    EXPECT_TRUE(ended) << log();
    if (!ended) EXPECT_TRUE(process_.signal(SIGKILL).has_value());
    EXPECT_EQ(process_.reap().value(), ProcessEnd{.code = code}) << log();
  }

  TempFolder folder_;
  Process process_;
};

// Where two files begin to differ; nothing: they are the same.
std::optional<std::size_t> difference(const std::vector<std::byte>& one, const std::vector<std::byte>& other) {
  const auto [a, b] = std::ranges::mismatch(one, other);
  if (a == one.end() && b == other.end()) return std::nullopt;
  return static_cast<std::size_t>(a - one.begin());
}

void expectSameFiles(const ScriptedVmm& one, const ScriptedVmm& other, const std::string& state,
                     const std::string& memory) {
  EXPECT_FALSE(one.bytes(state).empty());
  EXPECT_EQ(difference(one.bytes(state), other.bytes(state)), std::nullopt) << state;
  EXPECT_EQ(difference(one.bytes(memory), other.bytes(memory)), std::nullopt) << memory;
}

std::vector<agent::Reply> repliesIn(std::span<const std::byte> bytes) {
  std::vector<agent::Reply> replies;
  agent::FrameReader frames;
  while (!bytes.empty()) {
    const std::span<std::byte> room = frames.room();
    const std::size_t count = std::min(room.size(), bytes.size());
    std::ranges::copy(bytes.first(count), room.begin());
    frames.filled(count);
    bytes = bytes.subspan(count);
    while (const auto frame = frames.front().value()) {
      replies.push_back(agent::decodeReply(*frame).value());
      frames.drop();
    }
  }
  return replies;
}

// The console's shell is ready long before two seconds of its time.
constexpr const char* kTyping =
    "2000000000 serial \"head -c 8 /dev/urandom | md5sum; cat /proc/uptime\\n\"\n"
    "2400000123 snapshot first.state first.memory\n"
    "2500000000 serial \"date; head -c 8 /dev/hwrng | md5sum\\n\"\n"
    "3000000456 snapshot second.state second.memory\n"
    "3000000457 stop\n";

TEST(InputScript, TheSameScriptGivesTheSameSnapshotsAndAnotherOthers) {
  ScriptedVmm one, same, other;
  const std::string script =
      "2000000000 serial \"head -c 8 /dev/urandom | md5sum\\n\"\n"
      "2400000123 snapshot state memory\n"
      "2400000124 stop\n";
  one.boot("guest-test.cpio", script);
  same.boot("guest-test.cpio", script);
  expectSameFiles(one, same, "state", "memory");
  EXPECT_NE(one.text("console").find("  -"), std::string::npos) << one.text("console");
  EXPECT_EQ(one.text("console"), same.text("console"));
  std::string later = script;
  later.replace(0, 10, "2000000001");
  other.boot("guest-test.cpio", later);
  EXPECT_NE(difference(one.bytes("memory"), other.bytes("memory")), std::nullopt);
}

TEST(InputScript, ASnapshotComesToTheSameAsTheGuestThatRanOn) {
  ScriptedVmm saved, straight, restored;
  saved.boot("guest-test.cpio", kTyping);
  std::string once = kTyping;
  const std::size_t first = once.find("2400000123");
  once.erase(first, once.find('\n', first) + 1 - first);
  straight.boot("guest-test.cpio", once);
  restored.restore(saved, "first.state", "first.memory", kTyping);
  {
    SCOPED_TRACE("saved on its way, or not");
    expectSameFiles(saved, straight, "second.state", "second.memory");
  }
  SCOPED_TRACE("restored on its way, or not");
  expectSameFiles(saved, restored, "second.state", "second.memory");
  EXPECT_NE(restored.text("console").find("  -"), std::string::npos) << restored.text("console");
}

TEST(InputScript, TheAgentIsAskedAtAMomentAndAnswersTheSame) {
  const std::string script =
      "2000000000 vsock agent connect 5200 replies\n"
      "2000001000 vsock agent send " +
      pingWord(11) +
      "\n"
      "2100000000 vsock agent send " +
      runWord("head -c 8 /dev/urandom | md5sum; cat /proc/uptime") +
      "\n"
      "3000000000 snapshot first.state first.memory\n"
      "3100000000 vsock agent send " +
      pingWord(12) +
      "\n"
      "3500000000 snapshot second.state second.memory\n"
      "3500000001 stop\n";
  ScriptedVmm one, same, restored;
  one.boot("hello.cpio", script);
  same.boot("hello.cpio", script);
  restored.restore(one, "first.state", "first.memory", script);
  expectSameFiles(one, same, "first.state", "first.memory");
  expectSameFiles(one, same, "second.state", "second.memory");
  EXPECT_EQ(one.bytes("replies"), same.bytes("replies"));
  const std::vector<agent::Reply> replies = repliesIn(one.bytes("replies"));
  ASSERT_EQ(replies.size(), 3U) << one.log();
  EXPECT_EQ(std::get<agent::Pong>(replies[0].body).nonce, 11U);
  EXPECT_FALSE(std::get<agent::Ran>(replies[1].body).out.empty());
  EXPECT_EQ(std::get<agent::Pong>(replies[2].body).nonce, 12U);
  SCOPED_TRACE("restored");
  expectSameFiles(one, restored, "second.state", "second.memory");
  EXPECT_EQ(repliesIn(restored.bytes("replies")), std::vector{replies[2]});
}

TEST(InputScript, AScriptThatCannotBePlayedEndsTheProgramWithItsLine) {
  ScriptedVmm vmm;
  vmm.boot("guest-test.cpio", "1000000 snapshot there/state there/memory\n", 7, 1);
  EXPECT_NE(vmm.log().find("line 1 of the script"), std::string::npos) << vmm.log();
  EXPECT_NE(vmm.log().find("there/state has no folder"), std::string::npos) << vmm.log();
}

}  // namespace
}  // namespace qm::test
