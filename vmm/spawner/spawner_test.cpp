// The spawner as a process, with a program in its jails that looks around. The jails are the privileged kind for root
// and the user-namespace kind for others; where the host refuses one, its tests are skipped and say why.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vmm/jail/jail_probe.h"
#include "vmm/network/slot.h"
#include "vmm/os/mapping.h"
#include "vmm/os/message_socket.h"
#include "vmm/os/tap.h"
#include "vmm/os/testing/temp_folder.h"
#include "vmm/spawner/message.h"
#include "vmm/spawner/spawner_client.h"

namespace qm {
namespace {

using testing::HasSubstr;
using testing::Not;
using Clock = std::chrono::steady_clock;
using Sights = std::map<std::string, std::string>;

Clock::time_point soon() {
  return Clock::now() + std::chrono::seconds(10);
}

std::string contentOf(const FileDescriptor& file) {
  std::vector<std::byte> bytes(fileBytes(file).value());
  EXPECT_TRUE(readAt(file, 0, bytes).has_value());
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Sights parsed(const std::string& report) {
  Sights sights;
  std::istringstream lines(report);
  for (std::string line; std::getline(lines, line);) {
    sights[line.substr(0, line.find('='))] = line.substr(line.find('=') + 1);
  }
  return sights;
}

class SpawnerTest : public testing::Test {
 protected:
  SpawnerTest() {
    std::filesystem::create_directory(folder);
    std::ofstream(home / "image") << "read me";
    std::filesystem::permissions(home / "image", std::filesystem::perms(0644));
  }

  SpawnRequest lookAround(std::vector<std::string> arguments) const {
    return {.executable = LOOK_AROUND_PROGRAM,
            .arguments = std::move(arguments),
            .jail = {.folder = folder, .readOnly = {{.host = home / "image", .inside = "/image"}}, .devices = {}},
            .descriptors = {}};
  }

  static SpawnerClient start(const JailPolicy& policy) { return SpawnerClient::start(SPAWNER_PROGRAM, policy).value(); }

  static Sights see(const SpawnerClient& spawner, SpawnRequest request) {
    const FileDescriptor report = createMemfd("report", 0).value();
    request.descriptors.push_back({.ours = report.get(), .number = STDOUT_FILENO});
    const Result<Process> process = spawner.spawn(request);
    EXPECT_TRUE(process.has_value()) << process.error().text();
    if (!process.has_value()) return {};
    EXPECT_EQ(spawner.reap(*process, soon()).value().how, ProcessEnd{});
    return parsed(contentOf(report));
  }

  test::TempFolder temporary;
  std::filesystem::path home = temporary.path();
  std::filesystem::path folder = home / "vm-1";
};

class JailTest : public SpawnerTest {
 protected:
  void SetUp() override {
    const JailSupport support = probeJail();
    for (const JailPart& part : support.parts) {
      if (!part.works) GTEST_SKIP() << part.name << ": " << part.remedy;
    }
  }
  SpawnerClient spawner = start({});
};

TEST_F(JailTest, HoldsOnlyWhatWasAskedFor) {
  const Sights sights = see(spawner, lookAround({"see"}));
  EXPECT_EQ(sights.at("tree"), " /image /vm");
  EXPECT_EQ(sights.at("folder"), "/vm");
  EXPECT_EQ(sights.at("sees_processes"), "0");
  EXPECT_EQ(sights.at("environment"), "0");
}

TEST_F(JailTest, LetsItsProgramWriteInItsFolderAlone) {
  const Sights sights = see(spawner, lookAround({"see"}));
  EXPECT_EQ(sights.at("writes_own"), "yes");
  EXPECT_EQ(sights.at("made_mode"), std::to_string(0600));
  EXPECT_THAT(sights.at("writes_image"), testing::AnyOf("Read-only file system", "Permission denied"));
  EXPECT_THAT(sights.at("writes_root"), testing::AnyOf("Read-only file system", "Permission denied"));
  EXPECT_TRUE(std::filesystem::exists(folder / "made"));
}

TEST_F(JailTest, HasProcessesAndNetworkOfItsOwn) {
  const Sights sights = see(spawner, lookAround({"see"}));
  EXPECT_EQ(sights.at("pid"), "1");
  EXPECT_EQ(sights.at("parent"), "0");
  // tunl0, sit0 and their like appear in every new namespace where their modules are loaded.
  EXPECT_THAT(sights.at("interfaces"), HasSubstr(" lo"));
  EXPECT_THAT(sights.at("interfaces"), Not(HasSubstr("eth")));
}

TEST_F(JailTest, LeavesItsProgramNoPrivilege) {
  const Sights sights = see(spawner, lookAround({"see"}));
  EXPECT_EQ(sights.at("uid"), "64000");
  EXPECT_EQ(sights.at("gid"), "64000");
  EXPECT_EQ(sights.at("capabilities"), "0");
  EXPECT_EQ(sights.at("bounding_capabilities"), "0");
  EXPECT_EQ(sights.at("no_new_privs"), "1");
  EXPECT_EQ(sights.at("leads_session"), "1");
}

TEST_F(JailTest, TwoThatLiveAreDifferentUsers) {
  if (::geteuid() != 0) GTEST_SKIP() << "without privileges there is one user";
  const Process other = spawner.spawn(lookAround({"wait"})).value();
  EXPECT_EQ(see(spawner, lookAround({"see"})).at("uid"), "64001");
  ASSERT_TRUE(other.signal(SIGKILL).has_value());
  ASSERT_TRUE(spawner.reap(other, soon()).has_value());
  EXPECT_EQ(see(spawner, lookAround({"see"})).at("uid"), "64000") << "a user is free once its process's end was taken";
}

// The root is made once and copied from then on.
TEST_F(JailTest, FindsAReadOnlyPathThatWasReplacedSinceTheLastOne) {
  (void)see(spawner, lookAround({"see"}));
  std::filesystem::rename(home / "image", home / "old");
  std::filesystem::create_directory(home / "image");
  std::ofstream(home / "image/inner") << "another";
  EXPECT_EQ(see(spawner, lookAround({"see"})).at("tree"), " /image /image/inner /vm /vm/made");
}

TEST_F(JailTest, GivesTheNamedDescriptorsAndNoOther) {
  const FileDescriptor given = createMemfd("given", 0).value();
  SpawnRequest request = lookAround({"see"});
  request.descriptors = {{.ours = given.get(), .number = 127}, {.ours = given.get(), .number = 3}};
  EXPECT_EQ(see(spawner, request).at("descriptors"), " 0 1 2 3 127");
}

TEST_F(JailTest, TakesNoDescriptorThatLeadsOut) {
  const FileDescriptor outside(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  SpawnRequest request = lookAround({"see"});
  request.descriptors = {{.ours = outside.get(), .number = 3}};
  EXPECT_EQ(spawner.spawn(request).error().text(), "a folder's descriptor cannot be given into a jail");
}

TEST_F(JailTest, HasTheDevicesThatWereAskedFor) {
  if (!std::filesystem::exists("/dev/kvm")) GTEST_SKIP() << "this host has no /dev/kvm";
  SpawnRequest request = lookAround({"see"});
  request.jail.devices = {JailDevice::kvm};
  const Sights sights = see(spawner, request);
  EXPECT_EQ(sights.at("tree"), " /dev /dev/kvm /image /vm");
  EXPECT_EQ(sights.at("opens_kvm"), ::access("/dev/kvm", W_OK) == 0 ? "yes" : "Permission denied");
}

TEST_F(JailTest, ALinkInTheFolderLeadsNowhereElse) {
  std::filesystem::create_directory(home / "outside");
  std::filesystem::create_symlink(home / "outside", folder / "link");
  SpawnRequest request = lookAround({"see"});
  request.jail.readOnly = {{.host = home / "image", .inside = "/vm/link/image"}};
  EXPECT_FALSE(spawner.spawn(request).has_value());
  EXPECT_TRUE(std::filesystem::is_empty(home / "outside"));
}

TEST_F(JailTest, LeavesNothingInTheHostsMounts) {
  const auto mounts = [] {
    std::ifstream table("/proc/self/mountinfo");
    return std::count(std::istreambuf_iterator<char>(table), {}, '\n');
  };
  const auto before = mounts();
  const Process process = spawner.spawn(lookAround({"wait"})).value();
  EXPECT_EQ(mounts(), before);
  ASSERT_TRUE(process.signal(SIGKILL).has_value());
  ASSERT_TRUE(spawner.reap(process, soon()).has_value());
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  EXPECT_EQ(mounts(), before);
}

TEST_F(JailTest, AFolderThatBelongsToAnotherIsNotGivenAway) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can make a folder that belongs to another";
  ASSERT_EQ(::chown(folder.c_str(), 12345, 12345), 0);
  EXPECT_THAT(spawner.spawn(lookAround({"see"})).error().text(), HasSubstr("belongs to user 12345, not to user 0"));
}

TEST_F(JailTest, AMissingPathIsNamed) {
  SpawnRequest request = lookAround({"see"});
  request.jail.readOnly = {{.host = "/nowhere/kernel", .inside = "/kernel"}};
  const auto process = spawner.spawn(request);
  EXPECT_EQ(process.error().text(), "making the jail's root: open_tree /nowhere/kernel: No such file or directory");
  EXPECT_EQ(process.error().remedy(), Remedy::fixInput);
}

// Both isolations alike.
class SpawnerContract : public SpawnerTest, public testing::WithParamInterface<Isolation> {
 protected:
  void SetUp() override {
    if (GetParam() == Isolation::jailed && !probeJail().isComplete()) GTEST_SKIP() << "this host allows no jails";
  }
  SpawnerClient spawner = start({.isolation = GetParam()});
};

TEST_P(SpawnerContract, TellsHowAProcessEnded) {
  const Process exits = spawner.spawn(lookAround({"exit", "42"})).value();
  EXPECT_EQ(spawner.reap(exits, soon()).value().how, ProcessEnd{.code = 42});
  const Process killed = spawner.spawn(lookAround({"wait"})).value();
  ASSERT_TRUE(killed.signal(SIGKILL).has_value());
  EXPECT_EQ(spawner.reap(killed, soon()).value(), spawner::Ended{.how = {.signal = SIGKILL}});
}

TEST_P(SpawnerContract, AnEndIsToldOnce) {
  const Process process = spawner.spawn(lookAround({"exit", "0"})).value();
  ASSERT_TRUE(spawner.reap(process, soon()).has_value());
  EXPECT_EQ(spawner.reap(process, soon()).error().remedy(), Remedy::fixInput);
}

TEST_P(SpawnerContract, AProcessThatRunsHasNoEndYet) {
  const Process process = spawner.spawn(lookAround({"wait"})).value();
  EXPECT_EQ(spawner.reap(process, Clock::now()).error().remedy(), Remedy::retry);
  ASSERT_TRUE(process.signal(SIGKILL).has_value());
  EXPECT_TRUE(spawner.reap(process, soon()).has_value());
}

TEST_P(SpawnerContract, WhatIsNoProgramIsTheCallersToFix) {
  SpawnRequest request = lookAround({});
  request.executable = home / "image";
  std::filesystem::permissions(home / "image", std::filesystem::perms(0755));
  const auto process = spawner.spawn(request);
  EXPECT_EQ(process.error().text(), "starting image: execveat: Exec format error");
  EXPECT_EQ(process.error().remedy(), Remedy::fixInput);
  request.executable = home / "missing";
  EXPECT_THAT(spawner.spawn(request).error().text(), HasSubstr("missing: No such file or directory"));
}

TEST_P(SpawnerContract, AProcessOutlivesItsSpawner) {
  std::optional<SpawnerClient> brief(start({.isolation = GetParam()}));
  const Process process = brief->spawn(lookAround({"wait"})).value();
  brief.reset();
  EXPECT_FALSE(process.waitForEnd(Clock::now() + std::chrono::milliseconds(50)));
  ASSERT_TRUE(process.signal(SIGKILL).has_value());
  EXPECT_TRUE(process.waitForEnd(soon()));
}

TEST_P(SpawnerContract, SpawnLatencyIsShown) {
  constexpr std::size_t kRounds = 100;
  std::vector<double> spawnMs;
  std::vector<double> endMs;
  for (std::size_t i = 0; i < kRounds; ++i) {
    const auto start = Clock::now();
    const Process process = spawner.spawn(lookAround({"wait"})).value();
    const auto spawned = Clock::now();
    ASSERT_TRUE(process.signal(SIGKILL).has_value());
    ASSERT_TRUE(spawner.reap(process, soon()).has_value());
    spawnMs.push_back(std::chrono::duration<double, std::milli>(spawned - start).count());
    endMs.push_back(std::chrono::duration<double, std::milli>(Clock::now() - spawned).count());
  }
  std::ranges::sort(spawnMs);
  std::ranges::sort(endMs);
  const char* kind = GetParam() == Isolation::jailed ? "jailed" : "bare";
  std::printf("%s: spawn p50 %.2f ms p99 %.2f ms, kill and reap p50 %.2f ms p99 %.2f ms, N %zu\n", kind,
              spawnMs[kRounds / 2], spawnMs[kRounds - 2], endMs[kRounds / 2], endMs[kRounds - 2], kRounds);
}

TEST_P(SpawnerContract, NetworkSlotLatencyIsShown) {
  if (!spawner.makeSlot().has_value()) GTEST_SKIP() << "this host allows no network slots";
  constexpr std::size_t kRounds = 100;
  std::vector<double> makeMs;
  std::vector<double> socketMs;
  std::vector<double> closeMs;
  const auto since = [](Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  };
  for (std::size_t i = 0; i < kRounds; ++i) {
    const auto start = Clock::now();
    Result<SpawnerClient::MadeSlot> slot = spawner.makeSlot();
    makeMs.push_back(since(start));
    ASSERT_TRUE(slot.has_value()) << slot.error().text();
    const auto made = Clock::now();
    ASSERT_TRUE(spawner.openSlotSocket(slot->number, network::SlotSocket::toGuest).has_value());
    socketMs.push_back(since(made));
    const auto used = Clock::now();
    slot->tap.close();
    ASSERT_TRUE(spawner.closeSlot(slot->number).has_value());
    closeMs.push_back(since(used));
  }
  for (auto* times : {&makeMs, &socketMs, &closeMs}) std::ranges::sort(*times);
  const char* kind = GetParam() == Isolation::jailed ? "jailed" : "bare";
  std::printf("%s: slot p50 %.2f ms p99 %.2f ms, socket in it p50 %.2f ms, its end p50 %.2f ms, N %zu\n", kind,
              makeMs[kRounds / 2], makeMs[kRounds - 2], socketMs[kRounds / 2], closeMs[kRounds / 2], kRounds);
}

INSTANTIATE_TEST_SUITE_P(Isolations, SpawnerContract, testing::Values(Isolation::jailed, Isolation::bare),
                         [](const auto& isolation) {
                           return isolation.param == Isolation::jailed ? "Jailed" : "Bare";
                         });

TEST_P(SpawnerContract, ANetworkSlotHasATapAndSocketsThatReachIt) {
  Result<SpawnerClient::MadeSlot> slot = spawner.makeSlot();
  if (!slot.has_value()) GTEST_SKIP() << slot.error().text();
  const FileDescriptor socket = spawner.openSlotSocket(slot->number, network::SlotSocket::toGuest).value();
  ASSERT_TRUE(network::beginConnecting(socket, 80).has_value());
  std::array<std::byte, 2048> frame{};
  EXPECT_GT(readFrame(slot->tap, frame).value_or(0), kTapHeaderBytes) << "a connection's first frame";
  EXPECT_TRUE(spawner.closeSlot(slot->number).has_value());
}

TEST_P(SpawnerContract, WhatIsSentInOneNetworkSlotIsInNoOther) {
  Result<SpawnerClient::MadeSlot> one = spawner.makeSlot();
  if (!one.has_value()) GTEST_SKIP() << one.error().text();
  const SpawnerClient::MadeSlot other = spawner.makeSlot().value();
  EXPECT_NE(one->number, other.number);
  const FileDescriptor socket = spawner.openSlotSocket(one->number, network::SlotSocket::toGuest).value();
  ASSERT_TRUE(network::beginConnecting(socket, 80).has_value());
  std::array<std::byte, 2048> frame{};
  EXPECT_EQ(readFrame(other.tap, frame).error().remedy(), Remedy::retry);
}

TEST_P(SpawnerContract, AClosedNetworkSlotIsTheCallersToFix) {
  Result<SpawnerClient::MadeSlot> slot = spawner.makeSlot();
  if (!slot.has_value()) GTEST_SKIP() << slot.error().text();
  ASSERT_TRUE(spawner.closeSlot(slot->number).has_value());
  EXPECT_EQ(spawner.closeSlot(slot->number).error().remedy(), Remedy::fixInput);
  EXPECT_EQ(spawner.openSlotSocket(slot->number, network::SlotSocket::toGuest).error().remedy(), Remedy::fixInput);
  EXPECT_NE(spawner.makeSlot().value().number, slot->number) << "a number is given once";
}

// A jail after a slot: the spawner has come home from it.
TEST_F(JailTest, AfterANetworkSlotAJailHasNoTap) {
  const Result<SpawnerClient::MadeSlot> slot = spawner.makeSlot();
  if (!slot.has_value()) GTEST_SKIP() << slot.error().text();
  EXPECT_THAT(see(spawner, lookAround({"see"})).at("interfaces"), Not(HasSubstr("tap")));
}

// The test's end of a client's socket: a spawner that answers when it likes.
struct SlowSpawner {
  std::pair<FileDescriptor, FileDescriptor> ends = messageSocketPair().value();
  SpawnerClient client = SpawnerClient::over(std::move(ends.first), std::chrono::milliseconds(50)).value();

  std::uint32_t takeRequest() const { return spawner::numberOf(receiveMessage(ends.second).value().bytes); }
  void answer(std::uint32_t number, const spawner::Answer& answer, std::vector<int> descriptors = {}) const {
    EXPECT_TRUE(sendMessage(ends.second, spawner::encode(number, answer), descriptors).has_value());
  }
};

TEST_F(SpawnerTest, ALateAnswerIsNotTheNextRequests) {
  const SlowSpawner slow;
  const Process self = Process::find(::getpid()).value();
  const Process child = Process::start({.executable = LOOK_AROUND_PROGRAM, .arguments = {"wait"}}).value();
  EXPECT_EQ(slow.client.spawn(lookAround({"see"})).error().remedy(), Remedy::retry);
  const std::uint32_t first = slow.takeRequest();
  slow.answer(first, spawner::Spawned{.pid = child.pid()}, {child.descriptor().get()});
  slow.answer(first + 1, spawner::Spawned{.pid = ::getpid()}, {self.descriptor().get()});
  EXPECT_EQ(slow.client.spawn(lookAround({"see"})).value().pid(), ::getpid());
  EXPECT_EQ(child.reap(), ProcessEnd{.signal = SIGKILL}) << "nobody waits for what the late answer brought";
}

TEST_F(SpawnerTest, BareProcessesSeeTheHostWithoutCapabilities) {
  const SpawnerClient spawner = start({.isolation = Isolation::bare});
  const Sights sights = see(spawner, lookAround({"see"}));
  EXPECT_EQ(sights.at("folder"), std::filesystem::canonical(folder));
  EXPECT_EQ(sights.at("sees_processes"), "1");
  EXPECT_EQ(sights.at("uid"), std::to_string(::getuid()));
  EXPECT_EQ(sights.at("capabilities"), "0");
  EXPECT_EQ(sights.at("no_new_privs"), "1");
  EXPECT_EQ(sights.at("descriptors"), " 0 1 2");
}

TEST_F(SpawnerTest, ASpawnerThatIsNoneIsToldApart) {
  EXPECT_FALSE(SpawnerClient::start("/nowhere/quickmatch-spawner", {}).has_value());
  const SpawnerClient ends = SpawnerClient::start(LOOK_AROUND_PROGRAM, {}).value();
  EXPECT_THAT(ends.spawn(lookAround({"see"})).error().text(), HasSubstr("the spawner is lost"));
}

}  // namespace
}  // namespace qm
