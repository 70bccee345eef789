// Where time is instructions and random numbers come from a seed, a guest does the same thing each time: the same
// memory, byte for byte, and the same vCPU at its end. On the CPU in software only.

#include <atomic>
#include <cstring>
#include <vector>

#include "tests/guest/guest_fixture.h"
#include "tests/guest/prepared_code.h"
#include "vmm/machine/virtio_place.h"

namespace qm {
namespace {

constexpr std::uint64_t kPageBytes = 4096;

// FNV-1a over words of 8 bytes (Fowler, Noll, Vo): what differs is to be noticed, not forged.
std::uint64_t digestOf(std::span<const std::byte> bytes) {
  std::uint64_t digest = 0xcbf2'9ce4'8422'2325;
  for (std::size_t at = 0; at + sizeof(std::uint64_t) <= bytes.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    digest = (digest ^ word) * 0x100'0000'01b3;
    digest ^= digest >> 32U;
  }
  return digest;
}

// A machine at its end.
struct Remains {
  std::vector<std::uint64_t> pages;  // digests
  CpuState cpu;
  std::string console;
  std::vector<std::byte> hints;  // which code it has run
  SoftCounters counters;

  std::uint64_t digest() const {
    const std::uint64_t registers = digestOf(std::as_bytes(std::span(&cpu.registers, 1)));
    return digestOf(std::as_bytes(std::span(pages))) ^ registers;
  }
};

enum class Disturbance : std::uint8_t { none, loopThreadWrites };

class Determinism : public testing::Test {
 protected:
  // It needs nobody: work of several processes with timers, sleep, random numbers and the wall clock; then a reset.
  static MachineConfig config() {
    MachineConfig config;
    config.kernel = test::products() / "guest-kernel/current/vmlinux";
    config.initrd = test::products() / "images/current/guest-test.cpio";
    // The kernel takes its devices from what stands before "--"; those that the machine adds are the shell's arguments.
    config.bootArguments = "console=ttyS0 reboot=k panic=-1 quiet rdinit=/bin/busybox";
    for (std::size_t n = 0; n < 2; ++n)
      config.bootArguments +=
          fmt::format(" virtio_mmio.device=4K@{:#x}:{}", virtioPlace(n).base.value, virtioPlace(n).gsi);
    config.bootArguments +=
        " -- sh -c \""
        "mount -t devtmpfs d /dev; mount -t proc p /proc; mount -t sysfs s /sys; date; sleep 0.05; "
        "head -c 5000000 /dev/vda | md5sum; head -c 64 /dev/hwrng | md5sum; "
        "for i in 1 2 3; do head -c 1000 /dev/urandom | md5sum & sleep 0.01; done; wait; "
        "ls -lR /proc/self | md5sum; cat /proc/uptime /proc/interrupts; echo fin''ished; reboot -f\"";
    config.entropyDevices = 1;
    config.blocks = {{.id = "disk", .path = config.kernel, .readOnly = true}};
    return config;
  }

  // `hints`: of an earlier machine, whose code is prepared for this one.
  void bootToItsEnd(std::uint64_t seed, Disturbance disturbance, Remains& remains,
                    const std::vector<std::byte>& hints = {}) {
    const SoftObserver observer{.onUnmodelled = {}, .onEnd = [&](const SoftCounters& all) { remains.counters = all; }};
    Remembering hypervisor(
        openBackend(Backend::soft, {.clock = SoftClock::instructions, .seed = seed, .observer = observer}).value());
    Guest guest(loop_, hypervisor, seed);
    guest.boot(config(), [&] {
      if (!hints.empty()) adopt(hypervisor.code(), preparedFrom(guest.machine().memory(), hints));
    });
    std::optional<MachineEnd> end;
    while (!end) {
      if (disturbance == Disturbance::loopThreadWrites) touchKernelText(guest);
      end = guest.console().waitForEnd(std::chrono::seconds(disturbance == Disturbance::none ? 60 : 0));
      ASSERT_TRUE(end.has_value() || disturbance != Disturbance::none) << guest.console().text();
    }
    EXPECT_EQ(end->reason, EndReason::reset) << end->detail;
    remains.console = guest.console().text();
    EXPECT_NE(remains.console.find("finished"), std::string::npos) << remains.console;
    EXPECT_EQ(remains.console.find("No such"), std::string::npos) << remains.console;
    guest.run([&] {
      remains.cpu = guest.machine().cpu(0).value();
      remains.hints = hypervisor.code().hints();
      for (const GuestMemory::Region& region : guest.machine().memory().regions()) {
        for (std::size_t at = 0; at < region.host.size(); at += kPageBytes)
          remains.pages.push_back(digestOf(region.host.subspan(at, kPageBytes)));
      }
    });
    fmt::print("seed {}: digest {:016x}\n", seed, remains.digest());
  }

  // As a device's write does to memory that holds code: the vCPU is made to look and to decode anew, at moments that
  // are the host's.
  static void touchKernelText(Guest& guest) {
    constexpr std::uint64_t kText = 16ULL << 20U, kBytes = 4ULL << 20U;
    guest.run([&] { guest.machine().memory().markDirty(GuestAddress{kText}, kBytes); });
  }

  static void expectTheSame(const Remains& one, const Remains& other) {
    EXPECT_EQ(one.console, other.console);
    EXPECT_EQ(one.cpu.registers, other.cpu.registers);
    EXPECT_EQ(one.cpu, other.cpu);
    ASSERT_EQ(one.pages.size(), other.pages.size());
    std::string differing;
    for (std::size_t i = 0; i < one.pages.size(); ++i) {
      if (one.pages[i] != other.pages[i] && differing.size() < 200) differing += fmt::format(" {:#x}", i * kPageBytes);
    }
    EXPECT_EQ(differing, "") << "pages that differ";
    EXPECT_EQ(one.digest(), other.digest());
  }

  LoopThread loop_;
};

TEST_F(Determinism, TheSameSeedGivesTheSameMachineAndAnotherSeedAnother) {
  Remains first, second, third;
  bootToItsEnd(7, Disturbance::none, first);
  bootToItsEnd(7, Disturbance::none, second);
  expectTheSame(first, second);
  bootToItsEnd(8, Disturbance::none, third);
  EXPECT_NE(first.digest(), third.digest());
  EXPECT_NE(first.console, third.console);
}

TEST_F(Determinism, WhenOtherThreadsMakeTheProcessorLookChangesNothing) {
  Remains undisturbed, disturbed;
  bootToItsEnd(7, Disturbance::none, undisturbed);
  bootToItsEnd(7, Disturbance::loopThreadWrites, disturbed);
  expectTheSame(undisturbed, disturbed);
}

TEST_F(Determinism, CodeThatIsPreparedChangesNothingButWhoDecodes) {
  Remains decoding, prepared;
  bootToItsEnd(7, Disturbance::none, decoding);
  bootToItsEnd(7, Disturbance::none, prepared, decoding.hints);
  expectTheSame(decoding, prepared);
  EXPECT_EQ(decoding.counters.instructions, prepared.counters.instructions);
  EXPECT_LT(prepared.counters.decoded, decoding.counters.decoded);
  fmt::print("decoded {} of {} instructions, with prepared code {}\n", decoding.counters.decoded,
             decoding.counters.instructions, prepared.counters.decoded);
}

}  // namespace
}  // namespace qm
