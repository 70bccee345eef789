#include "vmm/hypervisor/soft/host/host_counter.h"

#include <cpuid.h>
#include <immintrin.h>

#include <algorithm>
#include <charconv>
#include <ctime>

#include <fmt/format.h>

#include "vmm/hypervisor/soft/host/host_cpu.h"

namespace qm::soft {

namespace {

constexpr std::uint64_t kNsPerSecond = 1'000'000'000, kNsPerMs = 1'000'000;
constexpr std::uint32_t kLeastKhz = 100'000, kMostKhz = 100'000'000;

struct Leaf {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};
Leaf leaf(std::uint32_t number) {
  Leaf is;
  __cpuid_count(number, 0, is.eax, is.ebx, is.ecx, is.edx);
  return is;
}

CpuidEntry remembered(std::uint32_t number) {
  const CpuidTable all = hostCpuid();
  return *std::ranges::find(all, number, &CpuidEntry::leaf);
}

bool isInvariant() {
  constexpr std::uint32_t kInvariantTsc = 1U << 8U;
  return (remembered(0x8000'0007).edx & kInvariantTsc) != 0;
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
  if ((remembered(1).ecx & kHypervisor) == 0) return 0;
  const Leaf who = leaf(0x4000'0000);
  const bool isKnown = who.ebx == kVmwa || who.ebx == kKvmk;
  return isKnown && who.eax >= 0x4000'0010 ? leaf(0x4000'0010).eax : 0;
}

std::uint32_t plausible(std::uint64_t khz) {
  return khz >= kLeastKhz && khz <= kMostKhz ? static_cast<std::uint32_t>(khz) : 0;
}

std::uint64_t clockNs(clockid_t which) {
  timespec time{};
  ::clock_gettime(which, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * kNsPerSecond + static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace

std::string wordOf(const HostCounter& counter) {
  return fmt::format("{}:{}", counter.source == CounterSource::tsc ? "tsc" : "monotonic", counter.khz);
}

Result<HostCounter> hostCounterOf(std::string_view word) {
  const std::size_t colon = word.find(':');
  const std::string_view source = word.substr(0, colon);
  const std::string_view digits = colon == std::string_view::npos ? std::string_view() : word.substr(colon + 1);
  HostCounter counter{.source = source == "tsc" ? CounterSource::tsc : CounterSource::monotonic};
  const auto [read, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), counter.khz);
  const bool isNumber = failed == std::errc() && read == digits.data() + digits.size();
  const bool isTsc = source == "tsc" && counter.khz >= kLeastKhz && counter.khz <= kMostKhz;
  const bool isMonotonic = source == "monotonic" && counter.khz == kNsPerMs;
  if (isNumber && (isTsc || isMonotonic)) return counter;
  return Error(Remedy::fixInput, fmt::format("a counter of time is tsc:KHZ (from {} to {}) or monotonic:{}, not \"{}\"",
                                             kLeastKhz, kMostKhz, kNsPerMs, word));
}

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
