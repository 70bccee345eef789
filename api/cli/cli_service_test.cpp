// quickmatch as a program, against quickmatchd as a program.
#include <signal.h>
#include <sys/resource.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/daemon/testing/running_daemon.h"
#include "vmm/os/piped_child.h"
#include "vmm/os/wait.h"
#include "vmm/spawner/spawner_client.h"

namespace qm {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using testing::HasSubstr;

struct Said {
  int code = 0;
  std::string out;
  std::string err;
};

std::string drain(const FileDescriptor& pipe) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  std::string text;
  for (;;) {
    std::byte bytes[4096];
    if (!waitReadable(pipe, deadline).has_value()) return text;
    const std::size_t count = readSome(pipe, bytes).value_or(0);
    if (count == 0) return text;
    text.append(reinterpret_cast<const char*>(bytes), count);
  }
}

// With its end.
std::string lineFrom(const FileDescriptor& pipe) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  std::string line;
  std::byte letter{};
  while (!line.ends_with('\n') && waitReadable(pipe, deadline).has_value() &&
         readSome(pipe, std::span(&letter, 1)).value_or(0) == 1)
    line.push_back(static_cast<char>(letter));
  return line;
}

class CliTest : public testing::Test {
 protected:
  Said quickmatch(std::vector<std::string> words, std::string_view input = {}) {
    words.insert(words.begin(), {"quickmatch", "--socket", daemon.socket().string()});
    PipedChild child =
        startPiped({.executables = {QM_CLI}, .argv = words, .env = {"HOME=/nowhere"}, .folder = "/"}).value();
    if (!input.empty()) EXPECT_TRUE(writeAll(child.in, std::as_bytes(std::span(input))).has_value());
    child.in.close();
    Said said{.out = drain(child.out), .err = drain(child.err)};
    said.code = child.process.reap().value().code;
    return said;
  }
  void putHello(int poolSize, const char* kernel = "vmlinux") {
    const std::filesystem::path recipe = daemon.folder() / "hello.json";
    const std::string text =
        R"({"kernel":")" + daemon.kernel(kernel).string() + R"(","pool_size":)" + std::to_string(poolSize) + "}";
    const FileDescriptor file = openFile(recipe, OpenMode::create).value();
    ASSERT_TRUE(writeAll(file, std::as_bytes(std::span(text))).has_value());
    const Said put = quickmatch({"template", "put", "hello", recipe.string()});
    ASSERT_EQ(put.code, 0) << put.err;
  }

  test::RunningDaemon daemon{{.daemon = QM_DAEMON, .vmm = QM_FAKE_VMM, .spawner = QM_SPAWNER}};
};

TEST_F(CliTest, RunGivesTheCommandsStreamsAndItsExitCode) {
  putHello(0);
  EXPECT_EQ(quickmatch({"run", "hello", "--", "/bin/echo", "hi", "-v"}).out, "/bin/echo hi -v\n");
  const Said failing = quickmatch({"run", "hello", "--", "false"});
  EXPECT_EQ(failing.code, 1);
  EXPECT_EQ(failing.out, "");
  EXPECT_EQ(failing.err, "false as ever\n");
}

TEST_F(CliTest, AVariableLeavesTheCommandItsOwnOptions) {
  putHello(0);
  EXPECT_EQ(quickmatch({"run", "hello", "-e", "A=B", "-e", "C=D", "--", "/bin/echo", "-c", "x"}).out,
            "/bin/echo -c x\n");
}

TEST_F(CliTest, RunPassesItsInputByteByByteAndTellsTheRoadWhenAsked) {
  putHello(0);
  const Said said = quickmatch({"run", "-v", "hello", "--road", "boot", "--", "/bin/cat"}, "\xff input\n");
  EXPECT_EQ(said.out, "\xff input\n");
  EXPECT_THAT(said.err, HasSubstr("by road boot: "));
  EXPECT_THAT(quickmatch({"leases"}).out, HasSubstr(R"({"leases":[]})")) << "its lease is released";
}

TEST_F(CliTest, ALeaseIsAcquiredAskedAndReleased) {
  putHello(0);
  const Said built = quickmatch({"template", "build", "hello"});
  ASSERT_EQ(built.code, 0) << built.err;
  const json::value grant = json::parse(quickmatch({"acquire", "hello", "--ttl", "30"}).out);
  const std::string lease = std::string(grant.at("id").as_string()) + ":" + std::string(grant.at("token").as_string());
  EXPECT_EQ(json::parse(quickmatch({"ping", lease}).out).at("nonce").as_string().size(), 16U);
  EXPECT_EQ(quickmatch({"exec", lease, "--", "id"}).out, "id\n");
  EXPECT_EQ(json::parse(quickmatch({"--json", "exec", lease, "--", "false"}).out).at("exit_code"), 1);
  EXPECT_EQ(quickmatch({"renew", lease, "--ttl", "90"}).code, 0);
  EXPECT_EQ(quickmatch({"release", lease}).code, 0);
  const Said ended = quickmatch({"ping", lease});
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.err, HasSubstr("The lease has ended"));
  EXPECT_THAT(ended.err, HasSubstr("remedy: "));
}

TEST_F(CliTest, TemplatesAndPoolsAreListedAndRemoved) {
  putHello(0);
  EXPECT_EQ(json::parse(quickmatch({"template", "ls"}).out).at("templates").at(0).at("name"), "hello");
  EXPECT_EQ(json::parse(quickmatch({"pool", "ls"}).out).at("pools").at(0).at("wanted"), 0);
  EXPECT_EQ(quickmatch({"template", "rm", "hello"}).code, 0);
  EXPECT_EQ(quickmatch({"template", "rm", "hello"}).code, 1);
}

TEST_F(CliTest, WhatCannotBeRunAtAllIsToldApartFromACommandThatFailed) {
  const Said said = quickmatch({"run", "nothing", "--", "true"});
  EXPECT_EQ(said.code, 125);
  EXPECT_THAT(said.err, HasSubstr("there is no template named \"nothing\""));
  EXPECT_EQ(quickmatch({"run"}).code, 2);
}

class TopTest : public CliTest {
 protected:
  // Once the board says so: it is written once a second.
  json::value topUntil(const std::function<bool(const json::value&)>& isRight) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (;;) {
      json::value top = json::parse(quickmatch({"top"}).out);
      if (isRight(top) || std::chrono::steady_clock::now() > deadline) return top;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
};

TEST_F(TopTest, PoolsRoadsAndVmsAreTold) {
  putHello(2);
  const auto ready = [](const json::value& top) {
    const auto& pools = top.at("pools").as_array();
    return !pools.empty() && pools.at(0).at("ready") == 2;
  };
  EXPECT_EQ(topUntil(ready).at("pools").at(0).at("wanted"), 2);
  EXPECT_EQ(quickmatch({"run", "hello", "--road", "ready", "--", "/bin/true"}).code, 0);
  const json::value top = topUntil([](const json::value& now) { return now.at("roads").at(0).at("granted") == 1; });
  EXPECT_EQ(top.at("daemon").at("state"), "serving");
  EXPECT_EQ(top.at("daemon").at("pid"), daemon.pid());
  EXPECT_EQ(top.at("roads").at(0).at("road"), "ready");
  EXPECT_EQ(top.at("roads").at(0).at("granted"), 1);
  EXPECT_GE(top.at("roads").at(0).at("max_us").as_int64(), 0);
  bool runs = false;
  for (const json::value& vm : top.at("vms").as_array()) {
    // As the VMM without a guest says on its slot page.
    runs = runs || (vm.at("state") == "running" && vm.at("instructions") == 1000);
  }
  EXPECT_TRUE(runs) << top;
}

TEST_F(TopTest, WhatFailedIsAmongTheLastErrors) {
  putHello(1, "bad-kernel");
  const json::value top = topUntil([](const json::value& now) { return !now.at("errors").as_array().empty(); });
  ASSERT_FALSE(top.at("errors").as_array().empty()) << top;
  EXPECT_THAT(std::string(top.at("errors").at(0).at("error").as_string()), HasSubstr("The kernel file is no kernel."));
}

TEST_F(TopTest, TheDaemonIsNotAskedAndItsDeathIsTold) {
  ASSERT_EQ(::kill(daemon.pid(), SIGSTOP), 0);
  EXPECT_EQ(quickmatch({"top", "--once"}).code, 0) << "a daemon that answers nobody is read all the same";
  ASSERT_EQ(::kill(daemon.pid(), SIGCONT), 0);
  daemon.stop(SIGKILL);
  const Said said = quickmatch({"top"});
  EXPECT_EQ(said.code, 1);
  EXPECT_EQ(json::parse(said.out).at("daemon").at("state"), "died");
}

TEST_F(TopTest, AfterAnEndInOrderThereIsNoBoard) {
  daemon.stop(SIGTERM);
  const Said said = quickmatch({"top"});
  EXPECT_EQ(said.code, 1);
  EXPECT_EQ(said.out, "");
  EXPECT_THAT(said.err, HasSubstr("is a daemon running?"));
}

// A forward to a guest that has no network, which is enough to be accepted and ended.
class ForwardTest : public CliTest {
 protected:
  void SetUp() override {
    putHello(0);
    const json::value grant = json::parse(quickmatch({"acquire", "hello", "--ttl", "60"}).out);
    lease = std::string(grant.at("id").as_string()) + ":" + std::string(grant.at("token").as_string());
  }
  static bool isAcceptedAndEnded(asio::ip::tcp::socket& client) {
    char byte = 0;
    boost::system::error_code end;
    return client.read_some(asio::buffer(&byte, 1), end) == 0 && end == asio::error::eof;
  }

  std::string lease;
  asio::io_context context;
};

TEST_F(ForwardTest, APortInUseIsOneSentence) {
  const asio::ip::tcp::acceptor other(context, {asio::ip::address_v4::loopback(), 0});
  const std::string port = std::to_string(other.local_endpoint().port());
  const Said said = quickmatch({"forward", lease, port + ":80"});
  EXPECT_EQ(said.code, 1);
  EXPECT_EQ(said.out, "");
  EXPECT_EQ(said.err,
            "quickmatch: port " + port + " of 127.0.0.1 is in use: give another one, or 0 for any that is free\n");
}

TEST_F(ForwardTest, ItGoesOnAfterItHadNoDescriptorLeft) {
#if __has_feature(address_sanitizer)
  GTEST_SKIP() << "the sanitizers look at memory by way of a pipe, which needs descriptors";
#endif
  PipedChild child = startPiped({.executables = {QM_CLI},
                                 .argv = {"quickmatch", "--socket", daemon.socket().string(), "forward", lease, "0:80"},
                                 .env = {"HOME=/nowhere"},
                                 .folder = "/"})
                         .value();
  const std::string here = lineFrom(child.out);
  ASSERT_TRUE(here.starts_with("127.0.0.1:")) << drain(child.err);
  const auto port = static_cast<std::uint16_t>(std::stoi(here.substr(here.find(':') + 1)));
  const rlimit few{.rlim_cur = 3, .rlim_max = 4096};
  ASSERT_EQ(::prlimit(child.process.pid(), RLIMIT_NOFILE, &few, nullptr), 0);
  asio::ip::tcp::socket client(context);
  client.connect({asio::ip::address_v4::loopback(), port});
  EXPECT_EQ(lineFrom(child.err), "quickmatch: a connection was not accepted: Too many open files; going on\n");
  const rlimit enough{.rlim_cur = 1024, .rlim_max = 4096};
  ASSERT_EQ(::prlimit(child.process.pid(), RLIMIT_NOFILE, &enough, nullptr), 0);
  EXPECT_TRUE(isAcceptedAndEnded(client));
  EXPECT_EQ(lineFrom(child.err), "quickmatch: a connection was not made: HTTP/1.1 422 Unprocessable Entity\n");
  ASSERT_TRUE(child.process.signal(SIGTERM).has_value());
  EXPECT_EQ(child.process.reap().value().signal, SIGTERM);
}

TEST_F(CliTest, TheDoctorMakesANetworkSlotWhereTheSpawnerDoes) {
  const bool isMade = SpawnerClient::start(QM_SPAWNER, {.isolation = Isolation::bare}).value().makeSlot().has_value();
  const json::value examined = json::parse(quickmatch({"doctor"}).out);
  for (const json::value& finding : examined.at("findings").as_array()) {
    if (finding.at("what") == "network slots") EXPECT_EQ(finding.at("state"), isMade ? "good" : "limited") << finding;
  }
  EXPECT_THAT(json::serialize(examined), HasSubstr("network slots"));
}

TEST_F(CliTest, TheDoctorTellsAboutTheDaemonToo) {
  const json::value examined = json::parse(quickmatch({"doctor"}).out);
  EXPECT_EQ(examined.at("findings").as_array().back().at("what"), "daemon");
  EXPECT_EQ(examined.at("findings").as_array().back().at("state"), "good");
  EXPECT_TRUE(examined.at("findings").as_array().back().at("found").as_string().ends_with(", hypervisor kvm"));
}

}  // namespace
}  // namespace qm
