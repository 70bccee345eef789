#include "api/vmm/script/script_player.h"

#include <gtest/gtest.h>

#include "vmm/os/testing/temp_folder.h"
#include "vmm/os/unix_socket.h"

namespace qm::vmm::script {
namespace {

constexpr std::uint32_t kAgentPort = 5200;

// Remembers what was played, in words.
class FakeStage final : public Stage {
 public:
  Status play(const Type& type) override { return add("type " + type.bytes); }
  Status play(const PressCtrlAltDel& /*press*/) override { return add("press"); }
  Status play(const Save& save) override { return add("save " + save.state.string()); }
  Status play(const Pause& /*pause*/) override { return Error(Remedy::giveUp, "the stage is broken"); }
  Status play(const Stop& /*stop*/) override { return add("stop"); }
  std::filesystem::path vsockSocket() const override { return socket; }

  std::vector<std::string> history;
  std::filesystem::path socket;

 private:
  Status add(std::string what) {
    history.push_back(std::move(what));
    return {};
  }
};

class ScriptPlayerTest : public testing::Test {
 protected:
  ScriptPlayer player(std::string_view text) { return {readScript(text).value(), kAgentPort, *loop_, log_, stage_}; }
  void runUntilIdle() {
    loop_->whenIdle([this] { loop_->stop(); });
    loop_->run();
  }
  // What a client has sent so far.
  static std::string arrived(const FileDescriptor& client) {
    std::string text(100, '\0');
    const auto count = readSome(client, std::as_writable_bytes(std::span(text)));
    text.resize(count.value_or(0));
    return text;
  }

  const std::unique_ptr<EventLoop> loop_ = EventLoop::create().value();
  const Log log_ = Log::silent();
  FakeStage stage_;
  const test::TempFolder folder_;
};

TEST_F(ScriptPlayerTest, EachLineIsPlayedOnceAtItsMoment) {
  ScriptPlayer script = player("5 serial a\n5 serial b\n9 ctrl-alt-del\n9 stop\n");
  EXPECT_EQ(script.begin(Origin::boot, 0).value(), 5U);
  EXPECT_TRUE(stage_.history.empty());
  EXPECT_EQ(script.play(5).value(), 9U);
  EXPECT_EQ(stage_.history, (std::vector<std::string>{"type a", "type b"}));
  EXPECT_EQ(script.play(9).value(), std::nullopt);
  EXPECT_EQ(stage_.history.size(), 4U);
}

TEST_F(ScriptPlayerTest, WhatHasHappenedToASnapshotIsPassedOver) {
  ScriptPlayer script = player("5 serial a\n9 snapshot s m\n10 serial b\n");
  EXPECT_EQ(script.begin(Origin::snapshot, 9).value(), 10U);
  EXPECT_EQ(script.play(10).value(), std::nullopt);
  EXPECT_EQ(stage_.history, std::vector<std::string>{"type b"});
}

TEST_F(ScriptPlayerTest, ALineAtTheBootsOwnMomentIsPlayed) {
  ScriptPlayer script = player("0 serial a\n");
  EXPECT_EQ(script.begin(Origin::boot, 0).value(), 0U);
  EXPECT_TRUE(script.play(0).has_value());
  EXPECT_EQ(stage_.history, std::vector<std::string>{"type a"});
}

TEST_F(ScriptPlayerTest, WhatCannotBePlayedIsAnErrorWithItsLine) {
  ScriptPlayer script = player("\n5 pause\n");
  ASSERT_TRUE(script.begin(Origin::boot, 0).has_value());
  EXPECT_EQ(script.play(5).error().text(), "line 2 of the script: the stage is broken");
}

TEST_F(ScriptPlayerTest, AConnectionNeedsAVsock) {
  ScriptPlayer script = player("5 vsock a connect 1\n");
  ASSERT_TRUE(script.begin(Origin::boot, 0).has_value());
  EXPECT_NE(script.play(5).error().text().find("no vsock"), std::string::npos);
}

TEST_F(ScriptPlayerTest, AConnectionAsksForThePortSendsAndKeepsWhatItReceives) {
  stage_.socket = folder_.path() / "vsock";
  const FileDescriptor listener = listenUnix(stage_.socket, Blocking::no).value();
  const std::filesystem::path file = folder_.path() / "received";
  ScriptPlayer script = player("5 vsock a connect 80 " + file.string() + "\n6 vsock a send hello\n7 vsock a close\n");
  ASSERT_TRUE(script.begin(Origin::boot, 0).has_value());
  ASSERT_TRUE(script.play(6).has_value());
  const FileDescriptor client = acceptUnix(listener, Blocking::no).value();
  EXPECT_EQ(arrived(client), "CONNECT 80\nhello");
  for (const std::string_view part : {"OK 10", "73\nwel", "come"}) {
    ASSERT_TRUE(writeAll(client, std::as_bytes(std::span(part))).has_value());
    runUntilIdle();
  }
  const std::vector<std::byte> kept = readWholeFile(file, 100).value();
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(kept.data()), kept.size()), "welcome");
  ASSERT_TRUE(script.play(7).has_value());
  std::byte end{};
  EXPECT_EQ(readSome(client, std::span(&end, 1)).value(), 0U);
}

TEST_F(ScriptPlayerTest, SendingToAGuestThatHasClosedIsAnError) {
  stage_.socket = folder_.path() / "vsock";
  const FileDescriptor listener = listenUnix(stage_.socket, Blocking::no).value();
  ScriptPlayer script = player("5 vsock a connect 80\n6 vsock a send hello\n");
  ASSERT_TRUE(script.begin(Origin::boot, 0).has_value());
  ASSERT_TRUE(script.play(5).has_value());
  acceptUnix(listener, Blocking::no).value().close();
  runUntilIdle();
  EXPECT_NE(script.play(6).error().text().find("line 2 of the script: the guest has closed"), std::string::npos);
}

TEST_F(ScriptPlayerTest, OfASnapshotsConnectionsTheAgentsIsTakenUpAgain) {
  stage_.socket = folder_.path() / "vsock";
  const FileDescriptor listener = listenUnix(stage_.socket, Blocking::no).value();
  ScriptPlayer script = player(
      "1 vsock closed connect 5200\n2 vsock closed close\n3 vsock other connect 80\n4 vsock agent connect 5200\n"
      "5 vsock agent send before\n7 vsock agent send after\n8 vsock other send lost\n");
  EXPECT_EQ(script.begin(Origin::snapshot, 6).value(), 7U);
  EXPECT_TRUE(script.play(7).has_value());
  const FileDescriptor client = acceptUnix(listener, Blocking::no).value();
  EXPECT_EQ(arrived(client), "CONNECT 5200\nafter");
  EXPECT_FALSE(acceptUnix(listener, Blocking::no).has_value());
  EXPECT_NE(script.play(8).error().text().find("which reset it"), std::string::npos);
}

}  // namespace
}  // namespace qm::vmm::script
