// A VMM that was taken over, in a real jail beside another one: each line of docs/security.md about it is a test here.
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/service/real_daemon.h"
#include "vmm/jail/jail_probe.h"
#include "vmm/os/landlock.h"
#include "vmm/os/mapping.h"
#include "vmm/os/testing/temp_folder.h"
#include "vmm/os/unix_socket.h"
#include "vmm/spawner/spawner_client.h"

namespace qm::test {
namespace {

using testing::AnyOf;
using testing::Lt;
using Outcomes = std::map<std::string, std::string>;

std::string textOf(const FileDescriptor& file) {
  std::vector<std::byte> bytes(fileBytes(file).value());
  EXPECT_TRUE(readAt(file, 0, bytes).has_value());
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

FileDescriptor sealedMemory() {
  FileDescriptor memory = createMemfd("template", 4096).value();
  EXPECT_EQ(::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
  return memory;
}

// A port of the host's loopback, and an abstract socket of the host, on which somebody listens.
struct HostListeners {
  HostListeners() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof address;
    EXPECT_EQ(::bind(tcp.get(), reinterpret_cast<const sockaddr*>(&address), bytes), 0);
    EXPECT_EQ(::listen(tcp.get(), 1), 0);
    EXPECT_EQ(::getsockname(tcp.get(), reinterpret_cast<sockaddr*>(&address), &bytes), 0);
    port = ntohs(address.sin_port);
    sockaddr_un name{.sun_family = AF_UNIX, .sun_path = "\0quickmatch-host"};
    EXPECT_EQ(::bind(abstract.get(), reinterpret_cast<const sockaddr*>(&name),
                     static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 16)),
              0);
    EXPECT_EQ(::listen(abstract.get(), 1), 0);
  }
  FileDescriptor tcp{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  FileDescriptor abstract{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  int port = 0;
};

class TakenOver : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!probeJail().isComplete()) return;
    const TempFolder home;
    for (const char* name : {"vm-1", "vm-2", "template"}) std::filesystem::create_directory(home.path() / name);
    std::ofstream(home.path() / "template/memory") << "a guest's memory";
    const FileDescriptor daemon = listenUnix(home.path() / "api.sock", Blocking::yes).value();
    const HostListeners host;
    const SpawnerClient spawner = SpawnerClient::start(QM_SPAWNER, {}).value();
    const FileDescriptor said = createMemfd("neighbour", 0).value();
    const Process neighbour = spawner.spawn(plan(home.path(), "vm-2", {"listen"}, said)).value();
    EXPECT_TRUE(eventually([&] { return textOf(said) == "listens=done\n"; }));
    const FileDescriptor report = createMemfd("report", 0).value();
    const Process attacker = spawner
                                 .spawn(plan(home.path(), "vm-1",
                                             {"try", home.path() / "vm-2", home.path() / "api.sock",
                                              std::to_string(::getpid()), std::to_string(host.port)},
                                             report))
                                 .value();
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    EXPECT_TRUE(spawner.reap(attacker, deadline).has_value());
    neighbourLives_ = !neighbour.waitForEnd(std::chrono::steady_clock::now());
    EXPECT_TRUE(neighbour.signal(SIGKILL).has_value());
    EXPECT_TRUE(spawner.reap(neighbour, deadline).has_value());
    std::istringstream lines(textOf(report));
    for (std::string line; std::getline(lines, line);) {
      outcomes_[line.substr(0, line.find('='))] = line.substr(line.find('=') + 1);
    }
  }
  void SetUp() override {
    if (!probeJail().isComplete()) GTEST_SKIP() << "this host allows no jails";
  }

  static SpawnRequest plan(const std::filesystem::path& home, const char* folder, std::vector<std::string> arguments,
                           const FileDescriptor& output) {
    static const FileDescriptor kMemory = sealedMemory();
    return {.executable = QM_TAKEN_OVER,
            .arguments = std::move(arguments),
            .jail = {.folder = home / folder,
                     .readOnly = {{.host = home / "template", .inside = "/template"}},
                     .newFiles = NewFiles::denied},
            .descriptors = {{.ours = output.get(), .number = 1}, {.ours = kMemory.get(), .number = 5}}};
  }
  static std::string of(const char* attempt) {
    const auto found = outcomes_.find(attempt);
    return found == outcomes_.end() ? "was not tried" : found->second;
  }
  static long numberOf(const char* attempt) { return std::strtol(of(attempt).c_str(), nullptr, 10); }

  static inline Outcomes outcomes_;
  static inline bool neighbourLives_ = false;
};

constexpr const char* kNotThere = "No such file or directory";
constexpr const char* kNotPermitted = "Operation not permitted";

TEST_F(TakenOver, FindsNoOtherVmsFolder) {
  EXPECT_EQ(of("opens_the_neighbours_folder"), kNotThere);
  EXPECT_EQ(of("opens_it_by_climbing"), kNotThere);
  EXPECT_EQ(of("opens_proc"), kNotThere);
}

TEST_F(TakenOver, ChangesNothingOfATemplate) {
  for (const char* attempt : {"writes_the_template", "truncates_the_template", "removes_the_template"}) {
    EXPECT_THAT(of(attempt), AnyOf("Read-only file system", "Permission denied")) << attempt;
  }
  for (const char* attempt : {"writes_the_memory", "truncates_the_memory", "maps_the_memory_shared"}) {
    EXPECT_EQ(of(attempt), kNotPermitted) << attempt;
  }
  EXPECT_EQ(of("unseals_the_memory"), kNotPermitted);
}

TEST_F(TakenOver, LeavesNoTrapForWhoReadsItsFolder) {
  EXPECT_THAT(of("makes_a_device"), AnyOf("Permission denied", kNotPermitted));
  if (landlockVersion() == 0) GTEST_SKIP() << "this kernel has no Landlock";
  EXPECT_EQ(of("makes_a_link"), "Permission denied");
  EXPECT_EQ(of("makes_a_pipe"), "Permission denied");
}

TEST_F(TakenOver, ReachesNoNetworkAndNoSocketButItsOwn) {
  EXPECT_EQ(of("connects_to_the_daemon"), kNotThere);
  EXPECT_EQ(of("connects_to_the_hosts_abstract_socket"), "Connection refused");
  EXPECT_THAT(of("connects_to_the_neighbours_abstract_socket"), AnyOf(kNotPermitted, "Connection refused"));
  EXPECT_EQ(of("connects_to_the_host"), "Network is unreachable");
}

TEST_F(TakenOver, ReachesNoOtherProcess) {
  EXPECT_EQ(of("kills_the_host"), "No such process");
  EXPECT_EQ(of("traces_another"), kNotPermitted);
  EXPECT_EQ(of("makes_shared_memory"), kNotPermitted);
  EXPECT_EQ(of("makes_a_key"), kNotPermitted);
  EXPECT_TRUE(neighbourLives_);
}

TEST_F(TakenOver, GainsNoPrivilege) {
  for (const char* attempt : {"becomes_root", "becomes_the_next_user", "mounts", "makes_a_user_namespace",
                              "changes_root", "loads_bpf", "makes_a_uring", "traces_the_kernel"}) {
    EXPECT_EQ(of(attempt), kNotPermitted) << attempt;
  }
  EXPECT_EQ(of("core_bytes"), "0");
}

TEST_F(TakenOver, FillsNeitherTheProcessTableNorTheDescriptors) {
  if (::geteuid() == 0) {
    EXPECT_THAT(numberOf("processes"), Lt(64));
    EXPECT_EQ(of("more_processes"), "Resource temporarily unavailable");
  }
  EXPECT_THAT(numberOf("files"), Lt(1024));
}

TEST_F(TakenOver, FillsNoDisk) {
  // Landlock is what refuses it: a kernel without has no answer but the limit below.
  if (landlockVersion() > 0) {
    for (const char* name : {"makes_a_file", "makes_a_folder"}) EXPECT_EQ(of(name), "Permission denied") << name;
  }
  EXPECT_EQ(of("makes_a_nameless_file"), kNotPermitted);
  EXPECT_EQ(of("makes_its_log_large"), "File too large");
}

TEST_F(TakenOver, LocksNoMemory) {
  EXPECT_THAT(of("locks_memory"), AnyOf("Cannot allocate memory", kNotPermitted));
}

TEST_F(TakenOver, WritesTheRootNowhere) {
  EXPECT_THAT(of("writes_the_root"), AnyOf("Read-only file system", "Permission denied"));
}

}  // namespace
}  // namespace qm::test
