// A machine that boots the guest-test image, with a test that types at its console and reads what it prints.
#pragma once

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/hypervisor_under_test.h"
#include "tests/products.h"
#include "vmm/hypervisor/choice/choice.h"
#include "vmm/machine/machine.h"

namespace qm {

// The loop on a thread of its own, as in the VMM's process.
class LoopThread {
 public:
  LoopThread() : loop_(EventLoop::create().value()), thread_([this] { loop_->run(); }) {}
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;
  ~LoopThread() {
    loop_->stop();
    thread_.join();
  }
  EventLoop& loop() { return *loop_; }
  void run(const EventLoop::Task& task) { loop_->postAndWait(task); }

 private:
  std::unique_ptr<EventLoop> loop_;
  std::thread thread_;
};

// What a guest printed, and what became of it. Any thread.
class Console {
 public:
  void add(std::span<const std::uint8_t> bytes) {
    const std::lock_guard lock(mutex_);
    text_.append(bytes.begin(), bytes.end());
    changed_.notify_all();
  }
  void end(const MachineEnd& end) {
    const std::lock_guard lock(mutex_);
    end_ = end;
    changed_.notify_all();
  }
  // Waits until `needle` stands in what came since the last find; forgets all up to its end.
  bool waitFor(const std::string& needle, std::chrono::seconds atMost = std::chrono::seconds(60)) {
    std::unique_lock lock(mutex_);
    const auto there = [&] { return text_.find(needle, seen_) != std::string::npos || end_.has_value(); };
    if (!changed_.wait_for(lock, atMost, there) || text_.find(needle, seen_) == std::string::npos) return false;
    seen_ = text_.find(needle, seen_) + needle.size();
    return true;
  }
  std::optional<MachineEnd> waitForEnd(std::chrono::seconds atMost = std::chrono::seconds(60)) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, atMost, [&] { return end_.has_value(); });
    return end_;
  }
  std::string text() {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;
  std::size_t seen_ = 0;
  std::optional<MachineEnd> end_;
};

// One machine and its console. All calls are posted to the loop.
class Guest {
 public:
  Guest(LoopThread& loop, Hypervisor& hypervisor, std::optional<std::uint64_t> seed = std::nullopt)
      : loop_(loop), hypervisor_(hypervisor), seed_(seed) {}
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;
  ~Guest() {
    loop_.run([this] { machine_.reset(); });
  }

  // `beforeItRuns`: on the loop's thread, with the kernel in memory.
  void boot(const MachineConfig& config, const std::function<void()>& beforeItRuns = [] {}) {
    loop_.run([&] {
      Result<std::unique_ptr<Machine>> made = Machine::boot(config, wiring());
      ASSERT_TRUE(made.has_value()) << made.error().text();
      machine_ = std::move(*made);
      beforeItRuns();
      const Status resumed = machine_->resume();
      ASSERT_TRUE(resumed.has_value()) << resumed.error().text();
    });
  }
  void restore(const MachineState& state, GuestMemory memory, const RestoreConfig& config) {
    loop_.run([&] {
      Result<std::unique_ptr<Machine>> made = Machine::restore(state, std::move(memory), config, wiring());
      ASSERT_TRUE(made.has_value()) << made.error().text();
      machine_ = std::move(*made);
    });
  }
  // In the memory of the machine that was there before, of which nothing else is left.
  void reset(const MachineState& state, const RestoreConfig& config) {
    loop_.run([&] {
      GuestMemory memory = Machine::dismantle(std::move(machine_));
      ASSERT_TRUE(memory.revert().has_value());
      Result<std::unique_ptr<Machine>> made = Machine::restore(state, std::move(memory), config, wiring());
      ASSERT_TRUE(made.has_value()) << made.error().text();
      machine_ = std::move(*made);
    });
  }
  void resume() {
    loop_.run([&] { ASSERT_TRUE(machine_->resume().has_value()); });
  }
  void pause() {
    loop_.run([&] { machine_->pause(); });
  }
  MachineState save() {
    MachineState state;
    loop_.run([&] {
      Result<MachineState> saved = machine_->save();
      ASSERT_TRUE(saved.has_value()) << saved.error().text();
      state = std::move(*saved);
    });
    return state;
  }
  // The RAM as it is, in a file of its own, mapped privately: what a clone gets.
  GuestMemory copyMemory() {
    const FileDescriptor file = createMemfd("guest-test", machine_->memory().bytes()).value();
    for (const GuestMemory::Region& region : machine_->memory().regions())
      EXPECT_TRUE(writeAt(file, region.range.fileOffset, region.host).has_value());
    return GuestMemory::ofFile(file, machine_->memory().bytes(), Sharing::privateCopy).value();
  }
  void type(const std::string& line) {
    const std::string whole = line + "\n";
    std::size_t done = 0;
    while (done < whole.size()) {
      loop_.run([&] {
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(whole.data());  // chars are the console's bytes
        done += machine_->typeToConsole(std::span(bytes, whole.size()).subspan(done));
      });
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  // Runs a command in the guest's shell and waits for `expected` in what it prints. The command's own echo is broken up
  // by the quotes that a caller puts in it.
  testing::AssertionResult answers(const std::string& command, const std::string& expected) {
    type(command);
    if (console_.waitFor(expected)) return testing::AssertionSuccess();
    const std::optional<MachineEnd> end = console_.waitForEnd(std::chrono::seconds(0));
    return testing::AssertionFailure() << "no \"" << expected << "\" after `" << command << "`"
                                       << (end ? ", the machine ended (" + end->detail + ")" : "") << " in:\n"
                                       << console_.text();
  }

  Machine& machine() { return *machine_; }
  Console& console() { return console_; }
  void run(const EventLoop::Task& task) { loop_.run(task); }

 private:
  MachineWiring wiring() {
    return {.hypervisor = hypervisor_,
            .loop = loop_.loop(),
            .log = log_,
            .onConsole = [this](std::span<const std::uint8_t> bytes) { console_.add(bytes); },
            .onEnd = [this](const MachineEnd& end) { console_.end(end); },
            .seed = seed_};
  }

  LoopThread& loop_;
  Hypervisor& hypervisor_;
  std::optional<std::uint64_t> seed_;
  Log log_ = Log::toStandardError(LogLevel::warning);
  Console console_;
  std::unique_ptr<Machine> machine_;
};

class GuestTest : public testing::Test {
 protected:
  GuestTest() {
    std::filesystem::create_directory(folder_);
    hypervisor_ = openBackend(decide(hypervisorNamed(test::hypervisorUnderTest()).value()).value().backend).value();
  }
  ~GuestTest() override { std::filesystem::remove_all(folder_); }

  static MachineConfig config() {
    MachineConfig config;
    config.kernel = test::products() / "guest-kernel/current/vmlinux";
    config.initrd = test::products() / "images/current/guest-test.cpio";
    config.bootArguments = "console=ttyS0 reboot=k panic=-1 quiet";
    return config;
  }
  std::filesystem::path file(const std::string& name) const { return folder_ / name; }
  // A disk whose first bytes are `text`.
  std::filesystem::path disk(const std::string& name, std::uint64_t bytes, const std::string& text) const {
    const FileDescriptor made = openFile(file(name), OpenMode::create).value();
    EXPECT_TRUE(truncateTo(made, bytes).has_value());
    EXPECT_TRUE(writeAt(made, 0, std::as_bytes(std::span(text))).has_value());
    return file(name);
  }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / fmt::format("quickmatch-guest-{}", ::getpid());
  std::unique_ptr<Hypervisor> hypervisor_;
  LoopThread loop_;
};

}  // namespace qm
