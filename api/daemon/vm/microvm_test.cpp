// VMs as processes, by a VMM without a guest (testing/fake_vmm.cpp).
#include "api/daemon/vm/microvm.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/daemon/vm/left_over_vms.h"
#include "api/daemon/vm/microvm_spawner.h"
#include "vmm/os/testing/temp_folder.h"
#include "vmm/os/wait.h"

namespace qm {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

pool::Deadline soon() {
  return std::chrono::steady_clock::now() + 10s;
}

std::unique_ptr<VmmLauncher> launcherOf(const char* vmm) {
  return VmmLauncher::start({.vmm = vmm, .spawner = QM_SPAWNER, .isolation = Isolation::bare}).value();
}

class MicrovmTest : public testing::Test {
 protected:
  std::unique_ptr<pool::VmProcess> spawn(const std::string& id, pool::VmPurpose purpose = pool::VmPurpose::tenants) {
    return spawner.spawn(id, purpose).value();
  }
  std::unique_ptr<pool::VmProcess> booted(const std::string& id) {
    auto vm = spawn(id, pool::VmPurpose::snapshot);
    EXPECT_TRUE(vm->boot({.kernel = "/vmlinux", .vcpus = 1, .memoryBytes = 128ULL << 20U}, soon()).has_value());
    EXPECT_TRUE(vm->connectAgent(soon()).has_value());
    return vm;
  }
  std::filesystem::path file(const char* name) const { return folder.path() / name; }
  pool::RestorePlan planOf(const char* state, const char* memory) const {
    auto files = std::make_shared<pool::CloneFiles>();
    files->state = openFile(file(state), OpenMode::read).value();
    files->memory = openFile(file(memory), OpenMode::read).value();
    return {.snapshot = folder.path(), .files = std::move(files)};
  }
  bool isEmpty() const { return std::filesystem::is_empty(vms); }

  test::TempFolder folder;
  std::filesystem::path vms = [this] {
    std::filesystem::create_directory(folder.path() / "vms");
    return folder.path() / "vms";
  }();
  std::unique_ptr<VmmLauncher> launcher = launcherOf(QM_FAKE_VMM);
  std::vector<VmUse> ended;
  std::vector<VmEnding> endings;
  VmAccounts accounts{[this](const VmUse& use) { ended.push_back(use); },
                      [this](const VmEnding& ending) { endings.push_back(ending); }};
  MicrovmSpawner spawner{vms, *launcher, accounts, Log::silent()};
};

TEST_F(MicrovmTest, AGuestIsBootedAndAnswersThroughItsAgent) {
  const auto vm = booted("vm-1");
  EXPECT_EQ(vm->ping(42, soon()).value().nonce, 42U);
  const auto ran = vm->run({.argv = {"false"}, .outputLimit = 100}, soon());
  ASSERT_TRUE(ran.has_value()) << ran.error().text();
  EXPECT_EQ(ran->exitCode, 1);
  EXPECT_TRUE(vm->isAlive());
  const auto use = vm->memoryUse();
  ASSERT_TRUE(use.has_value()) << use.error().text();
  EXPECT_GT(use->privateBytes, 0U);
}

TEST_F(MicrovmTest, AClonesMemoryIsTheSnapshots) {
  const auto original = booted("vm-1");
  const std::uint64_t nonce = original->ping(1, soon()).value().guestNonce;
  ASSERT_TRUE(original->pauseAndSave(file("state"), file("memory"), soon()).has_value());
  const auto clone = spawn("vm-2");
  ASSERT_TRUE(clone->restore(planOf("state", "memory"), soon()).has_value());
  ASSERT_TRUE(clone->connectAgent(soon()).has_value());
  EXPECT_EQ(clone->ping(2, soon()).value().guestNonce, nonce);
}

// As /proc/PID/stat tells it (proc(5), field 3).
bool standsStill(std::int64_t pid) {
  const std::string stat = readKernelFile("/proc/" + std::to_string(pid) + "/stat").value();
  return stat.substr(stat.rfind(')') + 2, 1) == "T";
}

TEST_F(MicrovmTest, AProcessThatIsReclaimedStandsStillAndIsAnotherVm) {
  const auto original = booted("vm-1");
  const std::uint64_t nonce = original->ping(1, soon()).value().guestNonce;
  ASSERT_TRUE(original->pauseAndSave(file("state"), file("memory"), soon()).has_value());
  auto first = spawn("vm-2");
  ASSERT_TRUE(first->restore(planOf("state", "memory"), soon()).has_value());
  ASSERT_TRUE(first->connectAgent(soon()).has_value());
  EXPECT_EQ(first->snapshot(), folder.path());

  const auto second = first->reclaim("vm-3").value();
  const auto deadline = soon();
  while (!standsStill(second->pid()) && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_TRUE(standsStill(second->pid()));
  EXPECT_EQ(second->id(), "vm-3");
  EXPECT_EQ(second->pid(), first->pid());
  EXPECT_FALSE(first->isAlive());
  EXPECT_FALSE(first->reclaim("vm-4").has_value());

  ASSERT_TRUE(second->restore(planOf("state", "memory"), soon()).has_value());
  ASSERT_TRUE(second->connectAgent(soon()).has_value());
  EXPECT_EQ(second->ping(2, soon()).value().guestNonce, nonce);
  EXPECT_THAT(first->run({.argv = {"echo"}}, soon()).error().text(), HasSubstr("has ended"));
  first->end();
  first.reset();
  EXPECT_TRUE(second->isAlive());
  const auto third = second->reclaim("vm-5").value();
  EXPECT_TRUE(third->restore(planOf("state", "memory"), soon()).has_value());
  third->end();
  EXPECT_FALSE(std::filesystem::exists(vms / "vm-2"));
}

TEST_F(MicrovmTest, OnlyAVmThatWasRestoredIsReclaimed) {
  const auto vm = booted("vm-1");
  EXPECT_THAT(vm->reclaim("vm-2").error().text(), HasSubstr("was not restored"));
  EXPECT_TRUE(vm->isAlive());
}

TEST_F(MicrovmTest, WhatACloneTouchedIsTold) {
  const auto original = booted("vm-1");
  const std::uint64_t nonce = original->ping(1, soon()).value().guestNonce;
  ASSERT_TRUE(original->pauseAndSave(file("state"), file("memory"), soon()).has_value());
  const auto clone = spawn("vm-2");
  ASSERT_TRUE(clone->restore(planOf("state", "memory"), soon()).has_value());
  const pool::Observed observed = clone->observe(soon()).value();
  EXPECT_EQ(observed.written, std::vector{nonce});
  EXPECT_EQ(observed.codeHints.size(), sizeof nonce);
}

TEST_F(MicrovmTest, WhatAVmTookIsToldOnceItIsGone) {
  const auto vm = booted("vm-1");
  const agent::Renew identity{.entropy = std::vector<std::byte>(64),
                              .wallClockNs = 1,
                              .hostname = "clone",
                              .machineId = std::string(32, 'a'),
                              .cloneId = "vm-1"};
  const auto renewed = vm->renew(identity, soon());
  ASSERT_TRUE(renewed.has_value()) << renewed.error().text();
  EXPECT_TRUE(ended.empty());
  vm->end();
  ASSERT_EQ(ended.size(), 1U);
  VmUse& use = ended.front();
  EXPECT_FALSE(use.isRefused);
  // As testing/fake_vmm.cpp has it.
  EXPECT_EQ(use.renew, (GuestWork{.instructions = 1000, .decoded = 10}));
  EXPECT_EQ(use.use, GuestWork());
  for (const VmStretch stretch : kVmStretches) EXPECT_TRUE(use.cpuOf(stretch).has_value()) << name(stretch);
  EXPECT_GT(use.privateBytes, 0U);
}

TEST_F(MicrovmTest, AVmThatNeverWasRenewedIsOnNobodysAccount) {
  booted("vm-1")->end();
  EXPECT_TRUE(ended.empty());
  EXPECT_TRUE(accounts.lines(10).empty());
}

TEST_F(MicrovmTest, AVmThatLivesIsALineWithItsState) {
  const auto vm = booted("vm-1");
  const auto blank = spawn("vm-2");
  const std::vector<VmLine> lines = accounts.lines(10);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].id, "vm-1");
  EXPECT_EQ(lines[0].pid, vm->pid());
  EXPECT_EQ(lines[0].view.value().state, slot::State::running);
  EXPECT_TRUE(lines[0].cpu.has_value());
  EXPECT_EQ(accounts.lines(1).size(), 1U);
}

TEST_F(MicrovmTest, ASnapshotThatIsCutIsRefusedInTheVmmsWords) {
  const FileDescriptor file = openFile(this->file("cut"), OpenMode::create).value();
  const auto clone = spawn("vm-1");
  EXPECT_EQ(clone->restore(planOf("cut", "cut"), soon()).error().text(), "restoring: The snapshot is cut.");
}

TEST_F(MicrovmTest, WhatTheVmmRefusesIsTheCallersToFixInTheVmmsWords) {
  const auto vm = spawn("vm-1");
  const auto booted = vm->boot({.kernel = "/bad"}, soon());
  ASSERT_FALSE(booted.has_value());
  EXPECT_EQ(booted.error().remedy(), Remedy::fixInput);
  EXPECT_EQ(booted.error().text(), "PUT /boot-source: The kernel file is no kernel.");
}

TEST_F(MicrovmTest, AVmThatEndsLeavesNeitherProcessNorFolder) {
  const auto vm = booted("vm-1");
  const auto pid = static_cast<pid_t>(vm->pid());
  vm->end();
  EXPECT_FALSE(Process::find(pid).has_value());
  EXPECT_TRUE(isEmpty());
  vm->end();
  EXPECT_FALSE(vm->isAlive());
}

TEST_F(MicrovmTest, ACommandUnderWayFailsSoonWhenItsVmEnds) {
  const auto vm = booted("vm-1");
  std::jthread ender([&vm] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    vm->end();
  });
  EXPECT_FALSE(vm->run({.argv = {"sleep"}}, soon()).has_value());
}

TEST_F(MicrovmTest, CommandsTakeTheConnectionThatIsThereAndAnotherWhereItIsTaken) {
  const auto vm = booted("vm-1");
  const auto which = [&vm] { return vm->run({.argv = {"which"}, .outputLimit = 100}, soon()).value().out; };
  EXPECT_EQ(which(), std::vector{std::byte{'1'}});
  EXPECT_EQ(which(), std::vector{std::byte{'1'}});
  const auto sleeping = vm->beginRun({.argv = {"sleep"}}, soon()).value();
  ASSERT_NE(sleeping, nullptr);
  EXPECT_EQ(vm->beginPing(1, soon()).value(), nullptr) << "not without waiting";
  EXPECT_EQ(vm->ping(42, soon()).value().nonce, 42U);
  EXPECT_EQ(which(), std::vector{std::byte{'2'}});
  EXPECT_FALSE(sleeping->take().has_value());
}

TEST_F(MicrovmTest, APingThatWasBegunIsHeardOfByItsDescriptor) {
  const auto vm = booted("vm-1");
  for (const std::uint64_t nonce : {1U, 2U}) {
    const auto ping = vm->beginPing(nonce, soon()).value();
    ASSERT_NE(ping, nullptr);
    ASSERT_TRUE(waitReadable(ping->file(), soon()).has_value());
    const auto pong = ping->take();
    ASSERT_TRUE(pong.has_value());
    EXPECT_EQ(pong->value().nonce, nonce);
  }
}

TEST_F(MicrovmTest, WhatWasBegunEndsWithItsVm) {
  const auto vm = booted("vm-1");
  const auto sleeping = vm->beginRun({.argv = {"sleep"}}, soon()).value();
  vm->kill();
  ASSERT_TRUE(waitReadable(sleeping->file(), soon()).has_value());
  EXPECT_FALSE(sleeping->take().value().has_value());
}

TEST_F(MicrovmTest, AProgramThatIsNoVmmIsToldApartBeforeTheDeadline) {
  const auto wrong = launcherOf("/bin/false");
  MicrovmSpawner spawnerOfWrong(vms, *wrong, accounts, Log::silent());
  const auto vm = spawnerOfWrong.spawn("vm-1", pool::VmPurpose::tenants);
  // It may have ended before its start was written down.
  if (!vm.has_value()) return;
  EXPECT_THAT((*vm)->boot({.kernel = "/vmlinux"}, soon()).error().text(), HasSubstr("ended"));
}

class GreedyVmTest : public MicrovmTest {
 protected:
  void SetUp() override {
    if (!launcher->groups().lacks.empty()) GTEST_SKIP() << launcher->groups().lacks;
  }
  std::unique_ptr<pool::VmProcess> bootedOf(const char* templateName, std::uint32_t vmmMib) {
    auto vm = spawn("vm-1");
    EXPECT_TRUE(vm->boot({.templateName = templateName,
                          .kernel = "/vmlinux",
                          .vcpus = 1,
                          .memoryBytes = 16ULL << 20U,
                          .limits = {.vmmMemoryMib = vmmMib}},
                         soon())
                    .has_value());
    EXPECT_TRUE(vm->connectAgent(soon()).has_value());
    return vm;
  }
  static constexpr const char* kWhy =
      "; the VM's process has ended: it needed more than its limit of 64 MiB: raise limits.vmm_memory_mib of template "
      "hello";
};

TEST_F(GreedyVmTest, ItsEndIsToldWithItsLimitAndItsTemplateAndIsCountedApart) {
  const auto vm = bootedOf("hello", 32);
  const auto ran = vm->run({.argv = {"fill"}}, soon());
  ASSERT_FALSE(ran.has_value());
  EXPECT_THAT(ran.error().text(), testing::EndsWith(kWhy));
  EXPECT_THAT(vm->ping(1, soon()).error().text(), testing::EndsWith(kWhy)) << "whoever asks next is told, too";
  vm->end();
  ASSERT_EQ(endings.size(), 1U);
  EXPECT_EQ(endings.front().how, VmEnd::outOfMemory);
  EXPECT_EQ(endings.front().templateName, "hello");
  EXPECT_THAT(endings.front().why, testing::StartsWith("it needed more than its limit of 64 MiB"));
  EXPECT_EQ(vm->ping(1, soon()).error().text().find("limit"), std::string::npos) << "of one that we ended";
}

TEST_F(GreedyVmTest, ACallThatWasBegunIsExplainedWhenItIsAsked) {
  const auto vm = bootedOf("hello", 32);
  const auto filling = vm->beginRun({.argv = {"fill"}}, soon()).value();
  ASSERT_TRUE(waitReadable(filling->file(), soon()).has_value());
  const Error error = filling->take().value().error();
  EXPECT_THAT(vm->explained(error).text(), testing::EndsWith(kWhy));
}

TEST_F(MicrovmTest, AVmThatIsKilledIsCountedAsThat) {
  booted("vm-1")->end();
  ASSERT_EQ(endings.size(), 1U);
  EXPECT_EQ(endings.front().how, VmEnd::killed);
  EXPECT_EQ(endings.front().id, "vm-1");
}

TEST(VmEnd, IsNamedByWhatTheKernelAndTheSpawnerSay) {
  EXPECT_EQ(endOf({.how = {.signal = 9}}), VmEnd::killed);
  EXPECT_EQ(endOf({.how = {.signal = 9}, .shortage = MemoryShortage::group}), VmEnd::outOfMemory);
  EXPECT_EQ(endOf({.how = {.signal = 9}, .shortage = MemoryShortage::outside}), VmEnd::hostOutOfMemory);
  EXPECT_EQ(endOf({.how = {.signal = 11}}), VmEnd::crashed);
  EXPECT_EQ(endOf({.how = {.code = 148}}), VmEnd::refusedCall);
  EXPECT_EQ(endOf({.how = {.code = 0}}), VmEnd::exited);
  for (const VmEnd end :
       {VmEnd::killed, VmEnd::outOfMemory, VmEnd::hostOutOfMemory, VmEnd::refusedCall, VmEnd::crashed, VmEnd::exited})
    EXPECT_FALSE(name(end).empty());
}

class LeftOverTest : public MicrovmTest {
 protected:
  // As a daemon that was killed leaves it: nobody ends the VM. One that was not killed holds its end of the channel.
  VmmLauncher::Launched abandoned(const std::string& id) {
    const VmFolder vm = makeVmFolder(vms, id).value();
    return launcher->launch(vm, id, NewFiles::denied).value();
  }
};

TEST_F(LeftOverTest, WhatAnotherDaemonLeftIsEndedByItsRecord) {
  const VmmLauncher::Launched left = abandoned("vm-1");
  const Process& process = left.process;
  ASSERT_TRUE(rememberProcess({vms / "vm-1"}, process.pid()).has_value());
  EXPECT_EQ(endLeftOverVms(vms, Log::silent()).value(), (LeftOver{.folders = 1, .processes = 1}));
  EXPECT_TRUE(process.waitForEnd(soon()));
  EXPECT_TRUE(isEmpty());
}

TEST_F(LeftOverTest, OneThatWasNotWrittenDownEndsByItselfWithItsControlChannel) {
  VmmLauncher::Launched left = abandoned("vm-1");
  EXPECT_FALSE(left.process.waitForEnd(std::chrono::steady_clock::now()));
  left.control.close();
  EXPECT_TRUE(left.process.waitForEnd(soon()));
  EXPECT_EQ(endLeftOverVms(vms, Log::silent()).value(), (LeftOver{.folders = 1, .processes = 0}));
}

TEST_F(LeftOverTest, ANumberThatMeansAnotherProcessByNowIsLeftAlone) {
  const VmFolder vm = makeVmFolder(vms, "vm-1").value();
  ASSERT_TRUE(rememberProcess(vm, ::getpid()).has_value());
  const std::string record =
      "{\"version\":1,\"pid\":" + std::to_string(::getpid()) + ",\"start_ticks\":1,\"boot_id\":\"another\"}";
  const FileDescriptor file = openFile(vm.record(), OpenMode::create).value();
  ASSERT_TRUE(writeAll(file, std::as_bytes(std::span(record))).has_value());
  EXPECT_EQ(endLeftOverVms(vms, Log::silent()).value(), (LeftOver{.folders = 1, .processes = 0}));
  EXPECT_TRUE(isEmpty());
}

TEST(LastWords, NothingAGuestPrintsSteersATerminal) {
  const test::TempFolder folder;
  const FileDescriptor file = openFile(folder.path() / kConsoleName, OpenMode::create).value();
  const std::string_view words = "boot\r\n\x1b[2Jpanic\n";
  ASSERT_TRUE(writeAll(file, std::as_bytes(std::span(words))).has_value());
  EXPECT_EQ(lastWords({folder.path()}), "boot.|.[2Jpanic");
}

}  // namespace
}  // namespace qm
