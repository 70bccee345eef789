#include "vmm/hypervisor/soft/system/random.h"

#include <array>
#include <cstring>

#include "vmm/hypervisor/soft/host/host_cpu.h"
#include "vmm/hypervisor/soft/time/guest_clock.h"
#include "vmm/os/random.h"

namespace qm::soft {

namespace {

// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
std::uint64_t nextOf(std::uint64_t& state) {
  state += 0x9e37'79b9'7f4a'7c15;
  std::uint64_t mixed = state;
  mixed = (mixed ^ mixed >> 30U) * 0xbf58'476d'1ce4'e5b9;
  mixed = (mixed ^ mixed >> 27U) * 0x94d0'49bb'1331'11eb;
  return mixed ^ mixed >> 31U;
}

bool askHost(std::uint64_t& value) {
  bool isThere = false;
  asm volatile("rdrand %[value]\n\tsetc %[there]" : [value] "=r"(value), [there] "=r"(isThere) : : "cc");
  return isThere;
}

std::uint64_t askKernel() {
  std::array<std::byte, sizeof(std::uint64_t)> bytes{};
  fillRandom(bytes);
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

}  // namespace

std::uint64_t randomNumber(Cpu& cpu) {
  if (cpu.around.clock.kind() == SoftClock::instructions) return nextOf(cpu.randomState);
  constexpr int kTries = 10;  // "an underlying failure" beyond them (SDM 1, 7.3.17.1)
  if (hostCan().rdrand) {
    std::uint64_t value = 0;
    for (int i = 0; i < kTries; ++i) {
      if (askHost(value)) return value;
    }
  }
  return askKernel();
}

}  // namespace qm::soft
