#include "api/vmm/controller/control_port.h"

#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/vmm/control/codec.h"
#include "api/vmm/testing/idle_hypervisor.h"
#include "vmm/os/mapping.h"

namespace qm::vmm {
namespace {

using testing::HasSubstr;

// The other end of the channel of a VMM whose loop runs.
class ControlPortTest : public testing::Test {
 protected:
  ControlPortTest() {
    auto [ours, theirs] = messageSocketPair().value();
    socket_ = std::move(ours);
    port_ = ControlPort::open(std::move(theirs), *loop_, controller_, [this] { abandoned_.set_value(); }).value();
    thread_ = std::thread([this] { loop_->run(); });
  }
  ~ControlPortTest() override {
    loop_->stop();
    thread_.join();
  }

  control::Reply say(std::span<const std::byte> bytes, std::span<const int> files = {}) {
    EXPECT_TRUE(sendMessage(socket_, bytes, files).has_value());
    return control::decodeReply(receiveMessage(socket_).value().bytes).value();
  }
  control::Reply ask(std::string method, std::string target, std::string body = "") {
    return say(control::encode(control::Request{
        .id = 5,
        .body = control::Ask{.method = std::move(method), .target = std::move(target), .body = std::move(body)}}));
  }
  void leave() { socket_.close(); }

  FileDescriptor socket_;
  std::promise<void> abandoned_;

 private:
  test::Script script_;
  Log log_ = Log::silent();
  std::unique_ptr<EventLoop> loop_ = EventLoop::create().value();
  Controller controller_{{.id = "demo",
                          .loop = *loop_,
                          .log = log_,
                          .openHypervisor = [this]() -> Result<std::unique_ptr<Hypervisor>> {
                            return std::make_unique<test::IdleHypervisor>(script_);
                          },
                          .onConsole = [](std::span<const std::uint8_t>) {},
                          .onEnd = [](int) {}}};
  std::unique_ptr<ControlPort> port_;
  std::thread thread_;
};

TEST_F(ControlPortTest, ItSpeaksTheWordsOfTheRestInterface) {
  const control::Reply reply = ask("GET", "/");
  EXPECT_EQ(reply.id, 5U);
  EXPECT_EQ(reply.answer.status, 200);
  EXPECT_THAT(reply.answer.body, HasSubstr("Not started"));
  EXPECT_EQ(ask("PUT", "/nothing").answer.status, 400);
}

TEST_F(ControlPortTest, AMessageThatIsNoneIsRefusedAndTheNextIsServed) {
  const std::vector<std::byte> noise(72, std::byte{0x5a});
  EXPECT_EQ(say(noise).answer.status, 400);
  EXPECT_EQ(ask("GET", "/").answer.status, 200);
}

TEST_F(ControlPortTest, FilesThatAreNoSnapshotAreRefusedAndAnotherMayBeTried) {
  const FileDescriptor file = createMemfd("noise", 4096).value();
  const std::array files{file.get(), file.get()};
  const std::vector<std::byte> load = control::encode(control::Request{.id = 6, .body = control::Load{}});
  for (int i = 0; i < 2; ++i) {
    const control::Reply reply = say(load, files);
    EXPECT_EQ(reply.id, 6U);
    EXPECT_THAT(reply.answer.body, HasSubstr("Load snapshot error"));
  }
  const std::vector<std::byte> twice =
      control::encode(control::Request{.id = 7, .body = control::Load{.state = 0, .memory = 0}});
  EXPECT_THAT(say(twice, files).answer.body, HasSubstr("named for two purposes"));
}

TEST_F(ControlPortTest, NothingIsObservedWithoutAMachine) {
  const FileDescriptor file = createMemfd("observed", 0).value();
  const std::array files{file.get(), file.get()};
  const control::Request observe{.id = 8, .body = control::Observe{}};
  EXPECT_THAT(say(control::encode(observe), files).answer.body, HasSubstr("no machine"));
  EXPECT_EQ(fileBytes(file).value(), 0U);
}

TEST_F(ControlPortTest, AVmmWithoutAGuestIsAbandonedWithItsChannel) {
  leave();
  abandoned_.get_future().wait();
}

}  // namespace
}  // namespace qm::vmm
