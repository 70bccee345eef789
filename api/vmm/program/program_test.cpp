// quickmatch-vmm as a process, without any KVM: its API's errors, its command line, its end.
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "api/client/http_client.h"
#include "vmm/os/mapping.h"
#include "vmm/os/process.h"
#include "vmm/os/testing/temp_folder.h"
#include "vmm/os/unix_socket.h"
#include "vmm/slot/slot_page.h"

namespace qm::vmm {
namespace {

using namespace std::chrono_literals;

std::chrono::steady_clock::time_point soon() {
  return std::chrono::steady_clock::now() + 20s;
}

class VmmProgramTest : public testing::Test {
 protected:
  ~VmmProgramTest() override {
    if (process_.pid() < 0) return;
    EXPECT_TRUE(process_.signal(SIGKILL).has_value());
    process_.reap();
  }

  void start(std::vector<std::string> arguments, std::vector<GivenDescriptor> descriptors = {}) {
    process_ = Process::start({.executable = QM_VMM,
                               .arguments = std::move(arguments),
                               .folder = folder_.path(),
                               .output = folder_.path() / "output",
                               .descriptors = std::move(descriptors)})
                   .value();
  }
  void serve() {
    start({"--api-sock", "api.sock", "--id", "demo"});
    awaitApi();
  }
  void awaitApi() {
    const auto deadline = soon();
    while (!connectUnix(socket_, Blocking::yes).has_value()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << output();
      std::this_thread::sleep_for(1ms);
    }
  }
  ProcessEnd end() {
    EXPECT_TRUE(process_.waitForEnd(soon()));
    const ProcessEnd end = process_.reap().value();
    process_ = Process();
    return end;
  }
  ProcessEnd run(std::vector<std::string> arguments) {
    start(std::move(arguments));
    return end();
  }
  std::string output() const {
    const std::vector<std::byte> bytes = readWholeFile(folder_.path() / "output", 1U << 20U).value();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  HttpAnswer ask(std::string_view method, const std::string& target, const std::string& body = {}) {
    return client_.ask({.method = method, .target = target, .body = body, .headers = {}}, soon()).value();
  }
  std::string fault(std::string_view method, const std::string& target, const std::string& body) {
    const HttpAnswer answer = ask(method, target, body);
    EXPECT_EQ(answer.status, 400) << answer.body;
    return std::string(boost::json::parse(answer.body).at("fault_message").as_string());
  }
  void write(const std::string& name, std::string_view text) const {
    const FileDescriptor file = openFile(folder_.path() / name, OpenMode::create).value();
    EXPECT_TRUE(writeAll(file, std::as_bytes(std::span(text))).has_value());
  }

  test::TempFolder folder_;
  const std::filesystem::path socket_ = folder_.path() / "api.sock";
  HttpClient client_{socket_};
  Process process_;
};

TEST_F(VmmProgramTest, AFreshProcessTellsWhatItIs) {
  serve();
  const HttpAnswer instance = ask("GET", "/");
  EXPECT_EQ(instance.status, 200);
  EXPECT_EQ(boost::json::parse(instance.body).at("state").as_string(), "Not started");
  EXPECT_EQ(boost::json::parse(instance.body).at("id").as_string(), "demo");
  EXPECT_EQ(ask("GET", "/version").status, 200);
  EXPECT_EQ(boost::json::parse(ask("GET", "/machine-config").body).at("mem_size_mib").as_int64(), 128);
  EXPECT_EQ(ask("GET", "/qm/times").body, "{}");
}

TEST_F(VmmProgramTest, ItTellsOnItsSlotPageHowItGoes) {
  slot::SlotPage page = slot::SlotPage::make().value();
  EXPECT_EQ(page.read().value().state, slot::State::unborn);
  start({"--api-sock", "api.sock", "--slot", "4"}, {{.ours = page.file().get(), .number = 4}});
  awaitApi();
  ask("PUT", "/boot-source", R"({"kernel_image_path":"none"})");
  fault("PUT", "/actions", R"({"action_type":"InstanceStart"})");
  const slot::View view = page.read().value();
  EXPECT_EQ(view.state, slot::State::blank);
  EXPECT_EQ(view.guests, 1U) << "one was begun, and could not be";
  EXPECT_GE(view.heartbeats, 1U);
  ASSERT_TRUE(view.at(slot::Moment::begun) && view.at(slot::Moment::listening));
  EXPECT_GE(view.at(slot::Moment::listening)->since, view.at(slot::Moment::begun)->since);
}

TEST_F(VmmProgramTest, ADescriptorThatIsNoSlotPageIsRefused) {
  const FileDescriptor other = createMemfd("other", 4096).value();
  start({"--api-sock", "api.sock", "--slot", "4"}, {{.ours = other.get(), .number = 4}});
  EXPECT_EQ(end().code, 1);
  EXPECT_NE(output().find("the descriptor of --slot is no slot page"), std::string::npos) << output();
}

TEST_F(VmmProgramTest, EveryPartOfAMachineIsTaken) {
  serve();
  EXPECT_EQ(ask("PUT", "/machine-config", R"({"vcpu_count":2,"mem_size_mib":256})").status, 204);
  EXPECT_EQ(ask("PUT", "/boot-source", R"({"kernel_image_path":"none","boot_args":"quiet"})").status, 204);
  EXPECT_EQ(ask("PUT", "/drives/a", R"({"drive_id":"a","path_on_host":"d","is_root_device":true})").status, 204);
  EXPECT_EQ(ask("PUT", "/network-interfaces/e", R"({"iface_id":"e","host_dev_name":"tap0"})").status, 204);
  EXPECT_EQ(ask("PUT", "/vsock", R"({"guest_cid":3,"uds_path":"v.sock"})").status, 204);
  EXPECT_EQ(ask("PUT", "/entropy", "{}").status, 204);
  EXPECT_EQ(boost::json::parse(ask("GET", "/machine-config").body).at("vcpu_count").as_int64(), 2);
  EXPECT_TRUE(fault("PUT", "/actions", R"({"action_type":"InstanceStart"})").starts_with("Start microvm error: "));
}

TEST_F(VmmProgramTest, BadRequestsAreAnsweredAndHarmNothing) {
  serve();
  EXPECT_EQ(fault("PUT", "/actions", R"({"action_type":"InstanceStart"})"),
            "Start microvm error: Cannot start microvm without kernel configuration.");
  EXPECT_EQ(fault("PATCH", "/vm", R"({"state":"Paused"})"),
            "The requested operation is not supported before starting the microVM.");
  EXPECT_EQ(fault("PUT", "/foo", "{}"), "Invalid request method and/or path: PUT foo.");
  EXPECT_EQ(fault("PUT", "/vsock", ""), "Empty PUT request.");
  EXPECT_NE(fault("PUT", "/vsock", "{").find("this is no JSON"), std::string::npos);
  EXPECT_NE(fault("PUT", "/entropy", R"({"a":1})").find("the field \"a\" is unknown"), std::string::npos);
  EXPECT_EQ(ask("PUT", "/entropy", std::string(60'000, ' ')).status, 400);
  EXPECT_EQ(ask("GET", "/").status, 200);
}

TEST_F(VmmProgramTest, ASnapshotThatIsNotThereIsSaid) {
  serve();
  const std::string sentence = fault("PUT", "/snapshot/load", R"({"snapshot_path":"s","mem_file_path":"m"})");
  EXPECT_TRUE(sentence.starts_with("Load snapshot error: ")) << sentence;
  EXPECT_EQ(ask("GET", "/").status, 200);
}

TEST_F(VmmProgramTest, SigtermEndsItCleanly) {
  serve();
  EXPECT_EQ(ask("GET", "/").status, 200);
  ASSERT_TRUE(process_.signal(SIGTERM).has_value());
  EXPECT_EQ(end(), ProcessEnd{});
  EXPECT_FALSE(std::filesystem::exists(socket_));
}

TEST_F(VmmProgramTest, ASocketInTheWayIsAnError) {
  const FileDescriptor other = listenUnix(socket_, Blocking::yes).value();
  EXPECT_EQ(run({"--api-sock", "api.sock"}).code, 1);
  EXPECT_NE(output().find("api.sock"), std::string::npos) << output();
  EXPECT_TRUE(std::filesystem::exists(socket_));
}

TEST_F(VmmProgramTest, TheCommandLineSaysWhatIsWrongWithIt) {
  EXPECT_EQ(run({"--version"}).code, 0);
  EXPECT_TRUE(output().starts_with("quickmatch-vmm ")) << output();
  EXPECT_EQ(run({"--help"}).code, 0);
  EXPECT_EQ(run({}).code, 2);
  EXPECT_NE(output().find("name --api-sock, --config-file or both"), std::string::npos) << output();
  EXPECT_EQ(run({"--no-api"}).code, 2);
  EXPECT_EQ(run({"--api-sock", "a", "--id", "no spaces"}).code, 2);
  EXPECT_EQ(run({"--api-sock", "a", "--log-level", "loud"}).code, 2);
  EXPECT_NE(run({"--dance"}).code, 0);
}

// The jail's root is a folder of ours, and so is the socket in it.
TEST_F(VmmProgramTest, AJailedOneServesFromItsOwnRootAsAnotherUserInItsOwnGroup) {
  if (::geteuid() != 0) GTEST_SKIP() << "a jail is made by root";
#if __has_feature(address_sanitizer)
  GTEST_SKIP() << "a program with sanitizers is linked with libraries, which are not in the jail";
#endif
  std::filesystem::permissions(folder_.path(), std::filesystem::perms(0755));
  std::vector<std::string> words{
      "jail",        "--id",  "demo",       "--exec-file",       QM_VMM,         "--uid",
      "64999",       "--gid", "64999",      "--chroot-base-dir", folder_.path(), "--resource-limit",
      "no-file=299", "--",    "--api-sock", "api.sock"};
  const bool hasPids = std::filesystem::exists("/sys/fs/cgroup/pids/cgroup.procs");
  if (hasPids) words.insert(words.begin() + 1, {"--cgroup", "pids.max=20", "--parent-cgroup", "qm-program-test"});
  start(words);
  const std::filesystem::path root = folder_.path() / "quickmatch-vmm/demo/root";
  HttpClient client(root / "api.sock");
  const auto deadline = soon();
  while (!connectUnix(root / "api.sock", Blocking::yes).has_value()) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << output();
    std::this_thread::sleep_for(1ms);
  }
  const HttpAnswer answer = client.ask({.method = "GET", .target = "/", .body = {}, .headers = {}}, soon()).value();
  EXPECT_EQ(boost::json::parse(answer.body).at("id").as_string(), "demo");
  const std::string proc = "/proc/" + std::to_string(process_.pid());
  EXPECT_NE(readKernelFile(proc + "/status").value().find("Uid:\t64999"), std::string::npos);
  EXPECT_NE(readKernelFile(proc + "/status").value().find("CapBnd:\t0000000000000000"), std::string::npos);
  EXPECT_NE(readKernelFile(proc + "/limits").value().find("Max open files            299"), std::string::npos);
  if (hasPids) {
    EXPECT_NE(readKernelFile(proc + "/cgroup").value().find("pids:/qm-program-test/demo"), std::string::npos);
  }
  ASSERT_TRUE(process_.signal(SIGTERM).has_value());
  EXPECT_EQ(end(), ProcessEnd{});
  std::error_code ignored;
  std::filesystem::remove("/sys/fs/cgroup/pids/qm-program-test/demo", ignored);
  std::filesystem::remove("/sys/fs/cgroup/pids/qm-program-test", ignored);
}

TEST_F(VmmProgramTest, AHypervisorsOptionsFitTogetherOrAreRefused) {
  const auto refusal = [this](std::vector<std::string> more) {
    more.insert(more.begin(), {"--api-sock", "a"});
    EXPECT_EQ(run(more).code, 2);
    return output();
  };
  EXPECT_NE(refusal({"--hypervisor", "tcg"}).find("there are auto, kvm and soft"), std::string::npos);
  EXPECT_NE(refusal({"--clock", "sun"}).find("there are host and instructions"), std::string::npos);
  EXPECT_NE(refusal({"--hypervisor", "kvm", "--clock", "instructions"}).find("excludes --hypervisor kvm"),
            std::string::npos);
  EXPECT_NE(refusal({"--host-counter", "tsc"}).find("--host-counter: a counter of time is tsc:KHZ"), std::string::npos);
  EXPECT_NE(refusal({"--seed", "7"}).find("--seed needs --clock instructions"), std::string::npos);
  EXPECT_NE(refusal({"--input-script", "s"}).find("--input-script needs --clock instructions"), std::string::npos);
  for (const char* seed : {"-1", "0x7", "7 ", "18446744073709551616"}) {
    EXPECT_NE(refusal({"--clock", "instructions", "--seed", seed}).find("below 2^64"), std::string::npos) << seed;
  }
}

TEST_F(VmmProgramTest, AnInputScriptIsCheckedBeforeAnythingStarts) {
  const std::vector<std::string> words{"--api-sock", "a", "--clock", "instructions", "--input-script", "script"};
  EXPECT_EQ(run(words).code, 1);
  write("script", "100 serial hello\n200 whistle\n");
  EXPECT_EQ(run(words).code, 1);
  EXPECT_NE(output().find("script: line 2: there is no input \"whistle\""), std::string::npos) << output();
}

TEST_F(VmmProgramTest, AConfigurationFileIsCheckedBeforeAnythingStarts) {
  EXPECT_EQ(run({"--config-file", "none.json", "--no-api"}).code, 1);
  write("wrong.json", R"({"boot-source":{"kernel_image_path":"k","colour":1}})");
  EXPECT_EQ(run({"--config-file", "wrong.json", "--no-api"}).code, 1);
  EXPECT_NE(output().find("wrong.json: boot-source: the field \"colour\" is unknown"), std::string::npos) << output();
  write("no-kernel.json", R"({"boot-source":{"kernel_image_path":"missing-kernel"}})");
  EXPECT_EQ(run({"--config-file", "no-kernel.json", "--no-api"}).code, 1);
  EXPECT_NE(output().find("Start microvm error: "), std::string::npos) << output();
}

}  // namespace
}  // namespace qm::vmm
