#include "api/vmm/controller/controller.h"

#include <future>
#include <thread>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/vmm/testing/idle_hypervisor.h"
#include "api/vmm/testing/tiny_kernel.h"
#include "vmm/os/tap.h"
#include "vmm/os/testing/temp_folder.h"

namespace qm::vmm {
namespace {

// A loop on its own thread and a controller on it, over vCPUs that idle.
class Vmm {
 public:
  explicit Vmm(SoftClock clock = SoftClock::host) : clock_(clock) {
    thread_ = std::thread([this] { loop_->run(); });
  }
  Vmm(const Vmm&) = delete;
  Vmm& operator=(const Vmm&) = delete;
  ~Vmm() {
    loop_->stop();
    thread_.join();
  }

  Answer execute(const Request& request) {
    Answer answer;
    loop_->postAndWait([&] { answer = controller_.execute(request); });
    return answer;
  }
  Answer attach(const NetConfig& net, FileDescriptor tap) {
    Answer answer;
    loop_->postAndWait([&] { answer = controller_.attach(net, std::move(tap)); });
    return answer;
  }
  Answer load(OpenSnapshot snapshot) {
    Answer answer;
    loop_->postAndWait([&] { answer = controller_.load(std::move(snapshot)); });
    return answer;
  }
  Answer reset(OpenSnapshot snapshot) {
    Answer answer;
    loop_->postAndWait([&] { answer = controller_.reset(std::move(snapshot)); });
    return answer;
  }
  int timesForgotten() const { return forgotten_; }
  std::string state() {
    return std::string(boost::json::parse(execute(DescribeInstance{}).body).at("state").as_string());
  }
  std::string fault(const Request& request) {
    const Answer answer = execute(request);
    EXPECT_EQ(answer.status, 400);
    return std::string(boost::json::parse(answer.body).at("fault_message").as_string());
  }
  test::Script& script() { return script_; }
  int exitCode() { return ended_.get_future().get(); }

 private:
  SoftClock clock_;
  test::Script script_;
  Log log_ = Log::silent();
  std::unique_ptr<EventLoop> loop_ = EventLoop::create().value();
  std::promise<int> ended_;
  int forgotten_ = 0;  // the loop's, while nobody else asks
  Controller controller_{{.id = "demo",
                          .loop = *loop_,
                          .log = log_,
                          .openHypervisor = [this]() -> Result<std::unique_ptr<Hypervisor>> {
                            return std::make_unique<test::IdleHypervisor>(script_);
                          },
                          .clock = clock_,
                          .onConsole = [](std::span<const std::uint8_t>) {},
                          .onReset = [this] { ++forgotten_; },
                          .onEnd = [this](int code) { ended_.set_value(code); }}};
  std::thread thread_;
};

class ControllerTest : public testing::Test {
 protected:
  ControllerTest() { test::writeTinyKernel(kernel_); }

  void start(Vmm& vmm) {
    EXPECT_EQ(vmm.execute(BootFiles{.kernel = kernel_, .initrd = {}, .bootArguments = "quiet"}), Answer{});
    EXPECT_EQ(vmm.execute(MachineShape{.vcpus = 2, .memoryMib = 32}), Answer{});
    EXPECT_EQ(vmm.execute(AddEntropy{}), Answer{});
    EXPECT_EQ(vmm.execute(VsockConfig{.guestCid = 3, .socketPath = folder_.path() / "vsock"}), Answer{});
    EXPECT_EQ(vmm.execute(StartInstance{}), Answer{});
  }
  CreateSnapshot files() const { return {.state = folder_.path() / "state", .memory = folder_.path() / "memory"}; }
  LoadSnapshot load() const {
    return {.state = files().state,
            .memory = files().memory,
            .resume = true,
            .devices = {.blocks = {}, .nets = {}, .vsockSocketPath = folder_.path() / "vsock2"}};
  }

  void saveOne() {
    Vmm vmm;
    start(vmm);
    EXPECT_EQ(vmm.execute(Pause{}), Answer{});
    EXPECT_EQ(vmm.execute(files()), Answer{});
  }
  OpenSnapshot open(const char* vsock) const {
    return {.state = openFile(files().state, OpenMode::read).value(),
            .memory = openFile(files().memory, OpenMode::read).value(),
            .vsockPath = folder_.path() / vsock};
  }
  bool isThere(const char* name) const { return std::filesystem::exists(folder_.path() / name); }

  test::TempFolder folder_;
  const std::filesystem::path kernel_ = folder_.path() / "kernel";
};

TEST_F(ControllerTest, AMachineStartsPausesAndResumes) {
  Vmm vmm;
  EXPECT_EQ(vmm.state(), "Not started");
  start(vmm);
  EXPECT_EQ(vmm.state(), "Running");
  EXPECT_EQ(vmm.execute(Pause{}), Answer{});
  EXPECT_EQ(vmm.execute(Pause{}), Answer{});
  EXPECT_EQ(vmm.state(), "Paused");
  EXPECT_EQ(vmm.execute(Resume{}), Answer{});
  EXPECT_EQ(vmm.execute(Resume{}), Answer{});
  EXPECT_EQ(vmm.state(), "Running");
}

// So a VMM without the right to make a tap has one; the name is of none that is there.
TEST_F(ControllerTest, ATapThatComesOpenNeedsNoNameOfTheHost) {
  Vmm vmm;
  const NetConfig net{.id = "eth0", .tap = "no tap is called so", .mac = {}};
  ASSERT_EQ(vmm.attach(net, frameSocketPair().value().first), Answer{});
  start(vmm);
  EXPECT_EQ(vmm.state(), "Running");
  EXPECT_EQ(vmm.attach(net, {}).status, 400) << "once it has started";
  Vmm other;
  ASSERT_EQ(other.execute(net), Answer{});
  ASSERT_EQ(other.execute(BootFiles{.kernel = kernel_, .initrd = {}, .bootArguments = "quiet"}), Answer{});
  EXPECT_EQ(other.execute(StartInstance{}).status, 400);
}

// A vCPU that has not woken from its last pause when the next one comes has parked already.
TEST_F(ControllerTest, APauseOnTheHeelsOfAResumeComesToItsEnd) {
  Vmm vmm;
  start(vmm);
  constexpr int kOften = 300;  // so that some find a vCPU that has not woken yet
  for (int i = 0; i < kOften; ++i) {
    ASSERT_EQ(vmm.execute(Pause{}), Answer{});
    ASSERT_EQ(vmm.execute(Resume{}), Answer{});
  }
  EXPECT_EQ(vmm.state(), "Running");
}

TEST_F(ControllerTest, BeforeTheStartOnlyWhatBelongsThereIsTaken) {
  Vmm vmm;
  const std::string tooEarly = "The requested operation is not supported before starting the microVM.";
  EXPECT_EQ(vmm.fault(Pause{}), tooEarly);
  EXPECT_EQ(vmm.fault(PressCtrlAltDel{}), tooEarly);
  EXPECT_EQ(vmm.fault(files()), tooEarly);
  EXPECT_EQ(vmm.fault(StartInstance{}), "Start microvm error: Cannot start microvm without kernel configuration.");
  EXPECT_EQ(vmm.state(), "Not started");
}

TEST_F(ControllerTest, AfterTheStartNothingIsConfigured) {
  Vmm vmm;
  start(vmm);
  const std::string tooLate = "The requested operation is not supported after starting the microVM.";
  EXPECT_EQ(vmm.fault(StartInstance{}), tooLate);
  EXPECT_EQ(vmm.fault(MachineShape{}), tooLate);
  EXPECT_EQ(vmm.fault(load()), tooLate);
}

TEST_F(ControllerTest, TheHypervisorIsToldOfWhatIsWrittenIntoRam) {
  Vmm vmm;
  start(vmm);
  const std::uint64_t kernelBytes = std::filesystem::file_size(kernel_);
  EXPECT_GE(vmm.script().bytesWritten, kernelBytes);
}

TEST_F(ControllerTest, AKernelThatCannotBeLoadedLeavesTheConfigurationToBeCorrected) {
  Vmm vmm;
  EXPECT_EQ(vmm.execute(BootFiles{.kernel = folder_.path() / "none", .initrd = {}, .bootArguments = {}}), Answer{});
  EXPECT_TRUE(vmm.fault(StartInstance{}).starts_with("Start microvm error: opening the kernel: "));
  start(vmm);
  EXPECT_EQ(vmm.state(), "Running");
}

TEST_F(ControllerTest, ASnapshotOfAPausedMachineIsLoadedElsewhere) {
  Vmm vmm;
  start(vmm);
  EXPECT_TRUE(vmm.fault(files()).starts_with("Create snapshot error: "));
  EXPECT_EQ(vmm.execute(Pause{}), Answer{});
  EXPECT_EQ(vmm.execute(files()), Answer{});
  EXPECT_EQ(vmm.state(), "Paused");
  EXPECT_EQ(vmm.execute(Resume{}), Answer{});

  Vmm clone;
  EXPECT_EQ(clone.execute(load()), Answer{});
  EXPECT_EQ(clone.state(), "Running");
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "vsock2"));
  const auto times = boost::json::parse(clone.execute(DescribeTimes{}).body).as_object();
  EXPECT_TRUE(times.contains("snapshot_open_us") && times.contains("restore_us") && times.contains("resume_us"));
}

TEST_F(ControllerTest, ASnapshotIsLoadedIntoAFreshProcessOnly) {
  Vmm vmm;
  EXPECT_EQ(vmm.execute(AddEntropy{}), Answer{});
  EXPECT_EQ(vmm.fault(load()),
            "Load snapshot error: Loading a microVM snapshot not allowed after configuring boot-specific resources.");
}

TEST_F(ControllerTest, ASnapshotThatCannotBeLoadedMayBeAskedForAgain) {
  {
    Vmm vmm;
    start(vmm);
    EXPECT_EQ(vmm.execute(Pause{}), Answer{});
    EXPECT_EQ(vmm.execute(files()), Answer{});
  }
  Vmm clone;
  LoadSnapshot wrong = load();
  wrong.devices.vsockSocketPath.clear();
  EXPECT_TRUE(clone.fault(wrong).starts_with("Load snapshot error: restoring device vsock: "));
  wrong = load();
  wrong.devices.nets = {{.id = "eth9", .tap = "tap", .mac = {}}};
  EXPECT_EQ(clone.fault(wrong), "Load snapshot error: Unknown Network Device.");
  wrong.state = folder_.path() / "none";
  EXPECT_TRUE(clone.fault(wrong).starts_with("Load snapshot error: "));
  EXPECT_EQ(clone.state(), "Not started");
  EXPECT_EQ(clone.execute(load()), Answer{});
}

TEST_F(ControllerTest, AResetPutsAnotherMachineInThePlaceOfTheOneThatWasLoaded) {
  saveOne();
  Vmm vmm;
  ASSERT_EQ(vmm.load(open("first")), Answer{});
  EXPECT_TRUE(isThere("first"));
  EXPECT_EQ(vmm.timesForgotten(), 0);
  for (const auto& [before, after] : {std::pair("first", "second"), std::pair("second", "third")}) {
    ASSERT_EQ(vmm.reset(open(after)), Answer{});
    EXPECT_FALSE(isThere(before));
    EXPECT_TRUE(isThere(after));
    EXPECT_EQ(vmm.state(), "Running");
  }
  EXPECT_EQ(vmm.timesForgotten(), 2);
}

TEST_F(ControllerTest, OnlyAMachineThatWasLoadedOpenIsReset) {
  saveOne();
  Vmm vmm;
  EXPECT_THAT(vmm.reset(open("second")).body, testing::HasSubstr("not supported before starting"));
  start(vmm);
  EXPECT_THAT(vmm.reset(open("second")).body, testing::HasSubstr("was not loaded over the control channel"));
  EXPECT_EQ(vmm.state(), "Running");
}

TEST_F(ControllerTest, AResetThatFailsLeavesNoMachine) {
  saveOne();
  Vmm vmm;
  ASSERT_EQ(vmm.load(open("first")), Answer{});
  OpenSnapshot wrong = open("second");
  wrong.state = openFile(files().memory, OpenMode::read).value();
  EXPECT_THAT(vmm.reset(std::move(wrong)).body, testing::HasSubstr("Reset error: "));
  EXPECT_FALSE(isThere("first"));
  EXPECT_EQ(vmm.state(), "Not started");
}

TEST_F(ControllerTest, AMachineThatHasEndedIsNotReset) {
  saveOne();
  Vmm vmm;
  ASSERT_EQ(vmm.load(open("first")), Answer{});
  vmm.script().add(Shutdown{});
  EXPECT_EQ(vmm.exitCode(), 1);
  EXPECT_THAT(vmm.reset(open("second")).body, testing::HasSubstr("has ended"));
}

TEST_F(ControllerTest, WhereTheClockIsInstructionsAMachineHasOneVcpu) {
  const char* const refused = "with --clock instructions a machine has one vCPU, not 2";
  Vmm vmm(SoftClock::instructions);
  EXPECT_EQ(vmm.execute(BootFiles{.kernel = kernel_, .initrd = {}, .bootArguments = "quiet"}), Answer{});
  EXPECT_EQ(vmm.execute(MachineShape{.vcpus = 2, .memoryMib = 32}), Answer{});
  EXPECT_EQ(vmm.fault(StartInstance{}), std::string("Start microvm error: ") + refused);
  EXPECT_EQ(vmm.execute(MachineShape{.vcpus = 1, .memoryMib = 32}), Answer{});
  EXPECT_EQ(vmm.execute(StartInstance{}), Answer{});

  Vmm two;
  start(two);
  EXPECT_EQ(two.execute(Pause{}), Answer{});
  EXPECT_EQ(two.execute(files()), Answer{});
  EXPECT_EQ(Vmm(SoftClock::instructions).fault(load()), std::string("Load snapshot error: ") + refused);
}

TEST_F(ControllerTest, AResetEndsTheProgramWell) {
  Vmm vmm;
  start(vmm);
  vmm.script().add(SystemReset{});
  EXPECT_EQ(vmm.exitCode(), 0);
  EXPECT_EQ(vmm.fault(Resume{}), "The microVM has ended.");
}

TEST_F(ControllerTest, ATripleFaultIsAFailure) {
  Vmm vmm;
  start(vmm);
  vmm.script().add(Shutdown{});
  EXPECT_EQ(vmm.exitCode(), 1);
}

TEST_F(ControllerTest, AFaultOfTheHypervisorIsAFailure) {
  Vmm vmm;
  start(vmm);
  vmm.script().add(Fault{.reason = "internal error", .registers = {}});
  EXPECT_EQ(vmm.exitCode(), 1);
}

TEST_F(ControllerTest, TheShapeIsTold) {
  Vmm vmm;
  EXPECT_EQ(vmm.execute(MachineShape{.vcpus = 2, .memoryMib = 64, .cpuTemplate = "host"}), Answer{});
  EXPECT_EQ(vmm.execute(DescribeShape{}).body,
            R"({"vcpu_count":2,"mem_size_mib":64,"smt":false,"cpu_template":"host","track_dirty_pages":false})");
  EXPECT_EQ(vmm.execute(DescribeCounters{}).body, R"({"device_failures":0})");
  EXPECT_EQ(vmm.execute(DescribeTimes{}).body, "{}");
}

}  // namespace
}  // namespace qm::vmm
