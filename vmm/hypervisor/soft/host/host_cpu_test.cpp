#include "vmm/hypervisor/soft/host/host_cpu.h"

#include <cpuid.h>

#include <array>

#include <gtest/gtest.h>

#include "vmm/hypervisor/soft/host/host_counter.h"

namespace qm::soft {
namespace {

CpuidEntry asked(std::uint32_t leaf) {
  CpuidEntry entry{.leaf = leaf};
  __cpuid_count(leaf, 0, entry.eax, entry.ebx, entry.ecx, entry.edx);
  return entry;
}

TEST(HostCpu, IsWhatCpuidSays) {
  for (const CpuidEntry& remembered : hostCpuid()) {
    SCOPED_TRACE(remembered.leaf);
    CpuidEntry entry = asked(remembered.leaf);
    // Of leaf 1, EBX has the number of the processor that asks, and ECX's OSXSAVE is the kernel's (SDM 2A, CPUID).
    if (entry.leaf == 1) entry.ebx = remembered.ebx;
    EXPECT_EQ(entry.ecx, remembered.ecx);
    EXPECT_EQ(entry.edx, remembered.edx);
    if (entry.leaf == 7) EXPECT_EQ(entry.ebx, remembered.ebx);
  }
}

TEST(HostCpu, CanWhatTheCompilerFindsToo) {
  const HostCan can = hostCan();
  EXPECT_EQ(can.bmi1, __builtin_cpu_supports("bmi") != 0);
  EXPECT_EQ(can.bmi2, __builtin_cpu_supports("bmi2") != 0);
  EXPECT_EQ(can.lzcnt, __builtin_cpu_supports("lzcnt") != 0);
  EXPECT_EQ(can.movbe, __builtin_cpu_supports("movbe") != 0);
  EXPECT_EQ(can.adx, __builtin_cpu_supports("adx") != 0);
  EXPECT_EQ(can.aes, __builtin_cpu_supports("aes") != 0);
  EXPECT_EQ(can.pclmul, __builtin_cpu_supports("pclmul") != 0);
  EXPECT_EQ(can.sha, __builtin_cpu_supports("sha") != 0);
  EXPECT_EQ(can.rdrand, __builtin_cpu_supports("rdrnd") != 0);
  EXPECT_EQ(can.avx, __builtin_cpu_supports("avx") != 0);
  EXPECT_EQ(can.avx2, __builtin_cpu_supports("avx2") != 0);
  EXPECT_EQ(can.fma, __builtin_cpu_supports("fma") != 0);
  EXPECT_EQ(can.f16c, __builtin_cpu_supports("f16c") != 0);
}

TEST(HostCounter, IsReadAsItIsWritten) {
  for (const HostCounter counter :
       {HostCounter{CounterSource::tsc, 2'095'078}, HostCounter{CounterSource::monotonic, 1'000'000}})
    EXPECT_EQ(hostCounterOf(wordOf(counter)).value(), counter);
}

TEST(HostCounter, RefusesWhatNoCounterIs) {
  for (const char* word :
       {"", "tsc", "tsc:", "tsc:0", "tsc:99999", "tsc:4294967296", "tsc:2000000x", "hpet:2000000", "monotonic:2000000"})
    EXPECT_FALSE(hostCounterOf(word).has_value()) << word;
}

}  // namespace
}  // namespace qm::soft
