// Clones of a template whose code was prepared run without decoding it again. On the CPU in software only.

#include <sys/resource.h>

#include "tests/guest/guest_fixture.h"
#include "tests/guest/prepared_code.h"

namespace qm {
namespace {

// What a process has used, for the report.
struct Use {
  std::int64_t cpuUs = 0, faults = 0;

  static Use now() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto us = [](const timeval& time) { return std::int64_t{time.tv_sec} * 1'000'000 + time.tv_usec; };
    return {.cpuUs = us(used.ru_utime) + us(used.ru_stime), .faults = used.ru_minflt};
  }
};

class PreparedCode : public testing::Test {
 protected:
  struct Template {
    MachineState state;
    FileDescriptor memory;
    std::uint64_t bytes = 0;

    GuestMemory map() const { return GuestMemory::ofFile(memory, bytes, Sharing::privateCopy).value(); }
  };

  void build(Template& made) {
    MachineConfig config;
    config.kernel = test::products() / "guest-kernel/current/vmlinux";
    config.initrd = test::products() / "images/current/guest-test.cpio";
    config.bootArguments = "console=ttyS0 reboot=k panic=-1 quiet";
    Remembering hypervisor(openBackend(Backend::soft, {}).value());
    Guest guest(loop_, hypervisor);
    guest.boot(config);
    ASSERT_TRUE(guest.console().waitFor("guest-test ready")) << guest.console().text();
    ASSERT_TRUE(guest.answers(kCommand, "answer"));
    guest.pause();
    made.state = guest.save();
    made.bytes = guest.machine().memory().bytes();
    made.memory = createMemfd("template", made.bytes).value();
    for (const GuestMemory::Region& region : guest.machine().memory().regions())
      ASSERT_TRUE(writeAt(made.memory, region.range.fileOffset, region.host).has_value());
  }

  // One clone: restored, asked once, gone. `prepared` may be null.
  struct Run {
    SoftCounters counters;
    std::vector<std::byte> hints;
    Use used;
  };
  void clone(const Template& from, const FileDescriptor* prepared, Run& run) {
    const Use before = Use::now();
    {
      const SoftObserver observer{.onUnmodelled = {}, .onEnd = [&](const SoftCounters& all) { run.counters = all; }};
      Remembering hypervisor(openBackend(Backend::soft, {.observer = observer}).value());
      Guest guest(loop_, hypervisor);
      guest.restore(from.state, from.map(), {});
      if (prepared != nullptr) adopt(hypervisor.code(), *prepared);
      guest.resume();
      ASSERT_TRUE(guest.answers(kCommand, "answer"));
      guest.pause();
      if (prepared == nullptr) run.hints = hypervisor.code().hints();
    }
    const Use after = Use::now();
    run.used = {.cpuUs = after.cpuUs - before.cpuUs, .faults = after.faults - before.faults};
  }

  static void tell(const char* who, const Run& run) {
    fmt::print("{:<10} decoded {:>6} of {:>8} instructions, {:>6} us of CPU, {:>5} page faults\n", who,
               run.counters.decoded, run.counters.instructions, run.used.cpuUs, run.used.faults);
  }

  static constexpr const char* kCommand = "/bin/busybox echo an''swer";
  LoopThread loop_;
};

TEST_F(PreparedCode, SparesClonesNearlyAllDecoding) {
  Template from;
  build(from);
  Run trial;
  clone(from, nullptr, trial);
  const FileDescriptor prepared = preparedFrom(from.map(), trial.hints);
  Run with, without;
  for (int i = 0; i < 3; ++i) {
    clone(from, nullptr, without);
    tell("decoding", without);
    clone(from, &prepared, with);
    tell("prepared", with);
  }
  EXPECT_LT(with.counters.decoded, without.counters.decoded / 4);
}

}  // namespace
}  // namespace qm
