// For tests: a processor that runs nothing, with two mebibytes of memory and all that is around it. Its time is
// instructions, which the test counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "vmm/hypervisor/soft/chips/interrupt_fabric.h"
#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/soft/memory/code_watch.h"
#include "vmm/hypervisor/soft/memory/physical_memory.h"
#include "vmm/hypervisor/soft/memory/world.h"
#include "vmm/hypervisor/soft/system/cpuid.h"
#include "vmm/hypervisor/soft/time/guest_clock.h"

namespace qm::soft {

class TestMachine {
 public:
  static constexpr std::uint64_t kBytes = 2U << 20U;

  explicit TestMachine(SoftClock kind = SoftClock::instructions)
      : clock(kind, {.source = CounterSource::tsc, .khz = 2'000'000}) {
    memory.set({.index = 0, .start = GuestAddress{0}, .host = ram(), .dirtyLogging = DirtyLogging::on});
    for (const auto& cpu : cpus) setGuestCpuid(*cpu, supportedCpuid());
  }

  Cpu& cpu(std::size_t index = 0) { return *cpus[index]; }
  // As if it had executed that many more.
  void execute(std::uint64_t instructions, std::size_t index = 0) { cpu(index).instructions += instructions; }

  template <class T>
  T readRam(std::uint64_t address) const {
    T value;
    std::memcpy(&value, bytes_.get() + address, sizeof value);
    return value;
  }
  template <class T>
  void writeRam(std::uint64_t address, T value) {
    std::memcpy(bytes_.get() + address, &value, sizeof value);
  }

  std::vector<std::byte> copyOfRam(std::uint64_t address, std::size_t bytes) const {
    return {bytes_.get() + address, bytes_.get() + address + bytes};
  }
  void placeInRam(std::uint64_t address, std::span<const std::byte> bytes) {
    std::memcpy(bytes_.get() + address, bytes.data(), bytes.size());
  }

  PhysicalMemory memory;
  World world;
  CodeWatch code{memory, world};
  GuestClock clock;
  InterruptFabric chips{PitModel::absent, 1'000'000};
  std::vector<std::unique_ptr<Cpu>> cpus = makeCpus();

 private:
  struct PageAligned {
    void operator()(std::byte* bytes) const { ::operator delete[](bytes, std::align_val_t{kPageBytes}); }
  };
  std::span<std::byte> ram() { return {bytes_.get(), kBytes}; }
  std::vector<std::unique_ptr<Cpu>> makeCpus() {
    std::vector<std::unique_ptr<Cpu>> made;
    for (std::uint32_t index = 0; index < 2; ++index) {
      chips.addCpu(index, {.onWork = [] {}});
      made.push_back(std::make_unique<Cpu>(Surroundings{
          .memory = memory, .world = world, .code = code, .chips = chips, .clock = clock, .index = index}));
    }
    return made;
  }

  std::unique_ptr<std::byte[], PageAligned> bytes_{new (std::align_val_t{kPageBytes}) std::byte[kBytes]()};
};

}  // namespace qm::soft
