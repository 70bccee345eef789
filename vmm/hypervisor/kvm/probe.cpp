#include "vmm/hypervisor/kvm/probe.h"

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "vmm/hypervisor/kvm/kvm_hypervisor.h"
#include "vmm/os/mapping.h"

namespace qm {

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::uint64_t kIterations = 250'000;  // of four instructions
constexpr auto kPatience = 300ms;               // a try; a million emulated instructions take longer
constexpr int kTries = 2;                       // the first may have been preempted
// Above this the guest does not run on the CPU. Emulation is slower by two orders of magnitude; entering the guest for
// the first time and a busy machine cost some milliseconds.
constexpr int kSlowdown = 10;
constexpr auto kSlack = 25ms;

constexpr std::uint64_t kRamBytes = 0x10000, kRoot = 0x1000, kPointers = 0x2000, kDirectory = 0x3000;
constexpr std::uint64_t kCell = 0x4000, kCode = 0x5000;

constexpr std::array<std::uint8_t, 16> kGuest{
    0xf0, 0x49, 0x0f, 0xc7, 0x08,  // again: lock cmpxchg16b [r8]
    0x48, 0x83, 0xc7, 0x01,        // add rdi, 1
    0x48, 0xff, 0xce,              // dec rsi
    0x75, 0xf2,                    // jnz again
    0xe6, 0x10,                    // out 0x10, al
};

// The same loop in this process.
std::chrono::nanoseconds timeHere() {
  alignas(16) std::array<std::uint64_t, 2> cell{};
  std::uint64_t left = kIterations, sum = 0, low = 0, high = 0;
  const auto start = Clock::now();
  asm volatile("1: lock cmpxchg16b %[cell]\n add $1, %[sum]\n dec %[left]\n jnz 1b"
               : [cell] "+m"(cell), [sum] "+r"(sum), [left] "+r"(left), "+a"(low), "+d"(high)
               : "b"(std::uint64_t{0}), "c"(std::uint64_t{0})
               : "cc");
  return Clock::now() - start;
}

Segment flat(std::uint16_t selector, std::uint8_t type, bool is64) {
  return {.limit = 0xffff'ffff,
          .selector = selector,
          .type = type,
          .s = true,
          .present = true,
          .l = is64,
          .db = !is64,
          .g = true};
}

template <class T>
void put(std::span<std::byte> ram, std::uint64_t at, const T& object) {
  std::memcpy(ram.subspan(at, sizeof object).data(), &object, sizeof object);
}

// One 2 MiB page mapped to itself, and a vCPU in 64-bit mode at the loop.
Status prepare(Vcpu& vcpu, std::span<std::byte> ram) {
  constexpr std::uint64_t kPresentWritable = 3, kLargePage = 1U << 7U;
  put(ram, kRoot, kPointers | kPresentWritable);
  put(ram, kPointers, kDirectory | kPresentWritable);
  put(ram, kDirectory, kLargePage | kPresentWritable);
  put(ram, kCode, kGuest);
  SystemRegisters system = TRY(vcpu.systemRegisters());
  system.cs = flat(0x08, 0xb, true);
  system.ds = system.es = system.fs = system.gs = system.ss = flat(0x10, 0x3, false);
  system.tr = {.limit = 0x67, .selector = 0x18, .type = 0xb, .present = true};
  system.ldt = {.unusable = true};
  system.cr0 = 0x8000'0031;  // PG, NE, ET, PE
  system.cr3 = kRoot;
  system.cr4 = 0x20;    // PAE
  system.efer = 0x500;  // LMA, LME
  return vcpu.setRegisters({.rsi = kIterations, .r8 = kCell, .rip = kCode}, system);
}

// Kicks a vCPU that does not come back in time.
class Watchdog {
 public:
  explicit Watchdog(Vcpu& vcpu)
      : thread_([this, &vcpu](const std::stop_token& stop) {
          std::unique_lock lock(mutex_);
          stopped_.wait_for(lock, stop, kPatience, [] { return false; });
          if (!stop.stop_requested()) vcpu.kick();
        }) {}

 private:
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;
};

struct Outcome {
  VcpuExit exit;
  std::chrono::nanoseconds time;
};

Result<Outcome> runGuest(Hypervisor& hypervisor) {
  const Mapping ram = TRY(Mapping::anonymous(kRamBytes));
  const std::unique_ptr<Vm> vm = TRY(hypervisor.createVm(PitModel::absent));
  TRY(vm->setMemory({.index = 0, .start = {0}, .host = ram.bytes()}));
  const std::unique_ptr<Vcpu> vcpu = TRY(vm->createVcpu(0));
  const CpuidTable cpuid = TRY(hypervisor.supportedCpuid());
  TRY(vcpu->setCpuid(cpuid));
  TRY(prepare(*vcpu, ram.bytes()));
  const Watchdog watchdog(*vcpu);
  const auto start = Clock::now();
  VcpuExit exit = vcpu->run();
  return Outcome{std::move(exit), Clock::now() - start};
}

double milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

KvmKind judge(const Outcome& outcome, std::chrono::nanoseconds hostTime) {
  KvmKind kind{.state = KvmState::emulated, .guestTime = outcome.time, .hostTime = hostTime};
  const std::string times =
      fmt::format("a million kernel-mode instructions take {:.1f} ms in a guest and {:.1f} ms outside",
                  milliseconds(outcome.time), milliseconds(hostTime));
  if (std::holds_alternative<IoWrite>(outcome.exit)) {
    if (outcome.time <= hostTime * kSlowdown + kSlack) kind.state = KvmState::hardware;
    kind.reason = times;
  } else if (std::holds_alternative<Interrupted>(outcome.exit)) {
    kind.reason = fmt::format(
        "a guest did not finish a million kernel-mode instructions in {:.0f} ms, which take {:.1f} ms outside",
        milliseconds(outcome.time), milliseconds(hostTime));
  } else if (const auto* fault = std::get_if<Fault>(&outcome.exit)) {
    kind.reason = "a guest in kernel mode cannot run lock cmpxchg16b: " + fault->reason;
  } else {
    kind.reason = "a guest in kernel mode cannot run lock cmpxchg16b";
  }
  return kind;
}

}  // namespace

Result<KvmKind> probeKvm(const std::filesystem::path& device) {
  Result<std::unique_ptr<Hypervisor>> hypervisor = openKvm(device);
  if (!hypervisor.has_value()) return KvmKind{.state = KvmState::absent, .reason = hypervisor.error().text()};
  KvmKind kind;
  for (int i = 0; i < kTries && kind.state != KvmState::hardware; ++i) {
    const std::chrono::nanoseconds here = timeHere();
    const Outcome outcome = TRY(runGuest(**hypervisor));
    kind = judge(outcome, here);
  }
  return kind;
}

}  // namespace qm
