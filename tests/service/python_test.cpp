// The image `python`: a Debian on a shared read-only disk, and a Python that was warm when it was frozen.
#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/service/real_daemon.h"

namespace qm::test {
namespace {

// Serves random numbers through two pipes, one word there and one line back: of Python's own generator, which the hook
// has seeded anew, and of one that nobody renews.
constexpr const char* kWarmPython = R"(
import os, random
os.mkdir('/run/warm')
os.mkfifo('/run/warm/ask')
os.mkfifo('/run/warm/answer')
random.random()
forgotten = random.Random(random.random())
if os.fork():
    os._exit(0)
os.setsid()
null = os.open('/dev/null', os.O_RDWR)
for stream in range(3):
    os.dup2(null, stream)
while True:
    with open('/run/warm/ask') as ask:
        word = ask.read().strip()
    if word == 'reseed':
        random.seed()
    line = 'reseeded' if word == 'reseed' else f'{random.random()} {forgotten.random()}'
    with open('/run/warm/answer', 'w') as answer:
        print(line, file=answer)
)";
constexpr const char* kReseed = "echo reseed >/run/warm/ask && test $(cat /run/warm/answer) = reseeded";
constexpr const char* kAskForNumbers = "echo numbers >/run/warm/ask; cat /run/warm/answer";

// A list of one command. (json::array{json::array{…}} would be a copy of the inner one.)
json::array oneCommand(const std::vector<std::string>& argv) {
  json::array commands;
  commands.emplace_back(json::array(argv.begin(), argv.end()));
  return commands;
}

json::object pythonRecipe(std::size_t poolSize) {
  json::object recipe = helloRecipe(poolSize);
  recipe["images"] = json::array{imageProduct("python.ext4").native()};
  recipe["boot_arguments"] = "console=ttyS0 reboot=k panic=-1 quiet qm.root=/dev/vda";
  recipe["memory_mib"] = 128;
  recipe["warm_up"] = oneCommand({"/usr/bin/python3", "-c", kWarmPython});
  recipe["hooks"] = json::object{{"after_restore", oneCommand({"/bin/sh", "-c", kReseed})}};
  return recipe;
}

class PythonTest : public testing::Test {
 protected:
  static constexpr std::size_t kClones = 2;

  static void SetUpTestSuite() {
    if (!std::filesystem::exists(imageProduct("python.ext4"))) return;
    daemon_ = std::make_unique<RealDaemon>();
    daemon_->put("python", pythonRecipe(kClones));
  }
  static void TearDownTestSuite() { daemon_.reset(); }
  void SetUp() override {
    if (daemon_ == nullptr) {
      GTEST_SKIP() << imageProduct("python.ext4") << " is not there; `vmm/guest/images/build python` makes it, as root";
    }
    ASSERT_TRUE(daemon().awaitReady("python", kClones));
  }
  static RealDaemon& daemon() { return *daemon_; }
  static std::vector<Held> acquireAll() {
    std::vector<Held> leases;
    while (leases.size() < kClones) leases.push_back(daemon().client().acquire("python", "ready"));
    return leases;
  }

 private:
  static inline std::unique_ptr<RealDaemon> daemon_;
};

TEST_F(PythonTest, EachCloneRunsAScriptFromItsInput) {
  constexpr const char* kScript = R"(
import ctypes, hashlib, json
assert ctypes.CDLL(None).getpid() > 1
print(json.dumps({'digest': hashlib.sha256(b'quickmatch').hexdigest()}))
)";
  for (const Held& lease : acquireAll()) {
    const json::value ran = daemon().exec(lease, {"/usr/bin/python3", "-"}, {{"stdin", kScript}});
    EXPECT_EQ(ran.at("exit_code"), 0) << json::serialize(ran);
    // Of sha256sum(1).
    EXPECT_EQ(ran.at("stdout"), "{\"digest\": \"b9e19fd0d0a763089ff283cbe42a43f47bf6bed2988e1eaeb6ce648f53ce536d\"}\n");
    daemon().release(lease);
  }
}

TEST_F(PythonTest, AHookGivesAPythonThatWasWarmedRandomNumbersOfItsOwn) {
  const std::vector<Held> leases = acquireAll();
  std::vector<std::string> renewed;
  std::vector<std::string> forgotten;
  for (const Held& lease : leases) {
    std::istringstream numbers(daemon().said(lease, kAskForNumbers));
    numbers >> renewed.emplace_back() >> forgotten.emplace_back();
    EXPECT_FALSE(forgotten.back().empty());
  }
  EXPECT_NE(renewed.at(0), renewed.at(1));
  // It is the same Python, and without the hook they would have been equal.
  EXPECT_EQ(forgotten.at(0), forgotten.at(1));
  for (const Held& lease : leases) daemon().release(lease);
}

// An image that many guests have at once as their disk must stay as it is.
TEST_F(PythonTest, WhatACloneWritesIsItsOwn) {
  const std::vector<Held> leases = acquireAll();
  EXPECT_EQ(daemon().said(leases.at(0), "echo mine >/etc/mine; cat /etc/mine"), "mine\n");
  EXPECT_EQ(daemon().said(leases.at(1), "ls /etc/mine 2>/dev/null || echo absent"), "absent\n");
  for (const Held& lease : leases) daemon().release(lease);
}

}  // namespace
}  // namespace qm::test
