#include "vmm/hypervisor/soft/time/host_counter.h"

#include <cpuid.h>
#include <immintrin.h>

#include <algorithm>
#include <ctime>

namespace qm::soft {

namespace {

constexpr std::uint64_t kNsPerSecond = 1'000'000'000, kNsPerMs = 1'000'000;

struct Leaf {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};
Leaf leaf(std::uint32_t number) {
  Leaf is;
  __cpuid_count(number, 0, is.eax, is.ebx, is.ecx, is.edx);
  return is;
}

bool isInvariant() {
  constexpr std::uint32_t kInvariantTsc = 1U << 8U;
  return leaf(0x8000'0000).eax >= 0x8000'0007 && (leaf(0x8000'0007).edx & kInvariantTsc) != 0;
}

// SDM 3B, 17.17.4: the crystal's frequency times EBX/EAX. Many CPUs do not tell the crystal's.
std::uint64_t khzByCrystal() {
  if (leaf(0).eax < 0x15) return 0;
  const Leaf ratio = leaf(0x15);
  return ratio.eax == 0 ? 0 : std::uint64_t{ratio.ecx} * ratio.ebx / ratio.eax / 1000;
}

// A convention of VMware's that others follow: leaf 0x40000010 has the virtual TSC's frequency in kHz.
std::uint64_t khzByHypervisor() {
  constexpr std::uint32_t kHypervisor = 1U << 31U, kVmwa = 0x6177'4d56, kKvmk = 0x4b4d'564b;  // "VMwa", "KVMK"
  if ((leaf(1).ecx & kHypervisor) == 0) return 0;
  const Leaf who = leaf(0x4000'0000);
  const bool isKnown = who.ebx == kVmwa || who.ebx == kKvmk;
  return isKnown && who.eax >= 0x4000'0010 ? leaf(0x4000'0010).eax : 0;
}

std::uint32_t plausible(std::uint64_t khz) {
  constexpr std::uint64_t kLeast = 100'000, kMost = 100'000'000;
  return khz >= kLeast && khz <= kMost ? static_cast<std::uint32_t>(khz) : 0;
}

std::uint64_t clockNs(clockid_t which) {
  timespec time{};
  ::clock_gettime(which, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * kNsPerSecond + static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace

std::uint64_t readCounter(CounterSource source) {
  return source == CounterSource::tsc ? __rdtsc() : clockNs(CLOCK_MONOTONIC);
}

HostCounterMeter::HostCounterMeter() {
  if (!isInvariant()) {
    counter_ = {.source = CounterSource::monotonic, .khz = kNsPerMs};
    return;
  }
  counter_.khz = plausible(khzByCrystal());
  if (counter_.khz == 0) counter_.khz = plausible(khzByHypervisor());
  if (counter_.khz == 0) begin_ = now();
}

// The narrowest of some tries: the thread may be interrupted in any of them.
HostCounterMeter::Moment HostCounterMeter::now() {
  Moment best{.uncertaintyNs = ~std::uint64_t{0}};
  for (int i = 0; i < 8; ++i) {
    const std::uint64_t before = clockNs(CLOCK_MONOTONIC_RAW);
    const std::uint64_t ticks = readCounter(CounterSource::tsc);
    const std::uint64_t between = clockNs(CLOCK_MONOTONIC_RAW) - before;
    if (between / 2 < best.uncertaintyNs)
      best = {.ticks = ticks, .ns = before + between / 2, .uncertaintyNs = between / 2};
  }
  return best;
}

HostCounter HostCounterMeter::counter() {
  constexpr std::uint64_t kLeastNs = 300'000, kMostNs = 20 * kNsPerMs, kOneIn = 5'000;  // 200 ppm at worst
  while (counter_.khz == 0) {
    const Moment end = now();
    const std::uint64_t elapsed = end.ns - begin_.ns;
    const std::uint64_t needed = std::clamp((begin_.uncertaintyNs + end.uncertaintyNs) * kOneIn, kLeastNs, kMostNs);
    if (elapsed < needed) continue;  // no sleep: on a busy host its end would come milliseconds late
    const auto ticks = static_cast<unsigned __int128>(end.ticks - begin_.ticks);
    counter_.khz = static_cast<std::uint32_t>((ticks * kNsPerMs + elapsed / 2) / elapsed);
  }
  return counter_;
}

}  // namespace qm::soft
