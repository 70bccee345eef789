// AVX: what switches it on, its state in memory and in snapshots, and gathers that fault. What instructions compute is
// compared with the host's CPU (tests/differ).
#include <array>
#include <bit>
#include <cstdint>

#include <gtest/gtest.h>

#include "vmm/hypervisor/soft/testing/bare_processor.h"
#include "vmm/hypervisor/soft/vcpu/extended_area.h"

namespace qm::soft {
namespace {

constexpr unsigned kRax = 0, kRdx = 2, kRdi = 7;
constexpr std::uint64_t kX87AndSse = 3, kAll = 7, kAvx = 4;

using Words = std::array<std::uint32_t, 8>;
constexpr Words kCounting{1, 2, 3, 4, 5, 6, 7, 8};

void setYmm(BareProcessor& processor, unsigned number, const Words& words) {
  processor.cpu().ymm[number] = std::bit_cast<WideVector>(words);
}
Words ymm(BareProcessor& processor, unsigned number) {
  return std::bit_cast<Words>(processor.cpu().ymm[number]);
}

void switchOn(BareProcessor& processor, std::uint64_t states) {
  SystemState& system = processor.cpu().system;
  system.xcr0Offered = kAll;
  system.xcr0 = states;
  system.cr4 |= cr4::kOsxsave;
  modeChanged(processor.cpu());
}

class Avx : public testing::Test {
 protected:
  void SetUp() override {
    if (__builtin_cpu_supports("avx2") == 0) GTEST_SKIP() << "this host has no AVX2";
  }
  void expectFault(Exception exception) {
    EXPECT_EQ(processor_.cpu().stop, Stop::exception);
    EXPECT_EQ(processor_.cpu().fault.exception, exception);
    EXPECT_EQ(processor_.cpu().rip, BareProcessor::kCode);
  }
  BareProcessor processor_;
};

constexpr std::initializer_list<unsigned> kVpaddd{0xc5, 0xf5, 0xfe, 0xc2};  // vpaddd ymm0, ymm1, ymm2
constexpr std::initializer_list<unsigned> kXsetbv{0x0f, 0x01, 0xd1};
constexpr std::initializer_list<unsigned> kGather{0xc4, 0xe2, 0x6d,
                                                  0x90, 0x04, 0x0f};  // vpgatherdd ymm0, [rdi+ymm1], ymm2

TEST_F(Avx, IsInvalidUntilXcr0SwitchesItOn) {
  setYmm(processor_, 1, kCounting);
  setYmm(processor_, 2, kCounting);
  switchOn(processor_, kX87AndSse);
  processor_.setCode(kVpaddd);
  processor_.run();
  expectFault(Exception::invalidOpcode);
  // The same bytes at the same place, decoded before.
  switchOn(processor_, kAll);
  EXPECT_TRUE(processor_.finishes(kVpaddd));
  EXPECT_EQ(ymm(processor_, 0), (Words{2, 4, 6, 8, 10, 12, 14, 16}));
}

TEST_F(Avx, IsNotAvailableWhileTasksAreSwitched) {
  switchOn(processor_, kAll);
  processor_.cpu().system.cr0 |= cr0::kTs;
  modeChanged(processor_.cpu());
  processor_.setCode(kVpaddd);
  processor_.run();
  expectFault(Exception::deviceNotAvailable);
}

TEST_F(Avx, XsetbvSwitchesOnWhatIsOfferedAndNoMore) {
  switchOn(processor_, 1);
  const auto tryToSet = [&](std::uint64_t value) {
    processor_.gpr(kRax) = value;
    processor_.gpr(1) = processor_.gpr(kRdx) = 0;
    return processor_.finishes(kXsetbv);
  };
  EXPECT_TRUE(tryToSet(kAll));
  EXPECT_EQ(processor_.cpu().system.vexUnit, UnitState::open);
  EXPECT_FALSE(tryToSet(1 | kAvx));  // without SSE (SDM 1, 13.3)
  EXPECT_FALSE(tryToSet(kAll | 8));
  processor_.cpu().system.xcr0Offered = kX87AndSse;
  EXPECT_FALSE(tryToSet(kAll));
}

TEST_F(Avx, UpperHalvesGoThroughXsaveAndXrstor) {
  switchOn(processor_, kAll);
  setYmm(processor_, 3, kCounting);
  processor_.gpr(kRdi) = BareProcessor::kData;
  processor_.gpr(kRax) = kAll;
  processor_.gpr(kRdx) = 0;
  // xsave [rdi]; vzeroall; xrstor [rdi]
  EXPECT_TRUE(processor_.finishes({0x0f, 0xae, 0x27, 0xc5, 0xfc, 0x77, 0x0f, 0xae, 0x2f}));
  EXPECT_EQ(ymm(processor_, 3), kCounting);
  EXPECT_EQ(processor_.read<std::uint32_t>(BareProcessor::kData + 576 + 3 * 16), 5U);
  EXPECT_EQ(processor_.read<std::uint64_t>(BareProcessor::kData + 512) & kAvx, kAvx);
}

TEST_F(Avx, XrstorClearsUpperHalvesThatAreNotInUse) {
  switchOn(processor_, kAll);
  setYmm(processor_, 3, kCounting);
  processor_.gpr(kRdi) = BareProcessor::kData;  // all zeros: every component in its initial state
  processor_.write<std::uint32_t>(BareProcessor::kData + 24, 0x1f80);
  processor_.gpr(kRax) = kAvx;
  processor_.gpr(kRdx) = 0;
  EXPECT_TRUE(processor_.finishes({0x0f, 0xae, 0x2f}));
  EXPECT_EQ(ymm(processor_, 3), (Words{1, 2, 3, 4}));
}

TEST_F(Avx, UpperHalvesAreInASnapshotOfWhoIsOfferedThem) {
  switchOn(processor_, kAll);
  setYmm(processor_, 15, kCounting);
  const ExtendedState saved = saveExtended(processor_.cpu());
  EXPECT_EQ(saved.area.size(), 832U);
  BareProcessor other;
  other.cpu().system.xcr0Offered = kAll;
  ASSERT_TRUE(loadExtended(other.cpu(), saved).has_value());
  EXPECT_EQ(ymm(other, 15), kCounting);
  EXPECT_EQ(saveExtended(other.cpu()), saved);
}

TEST_F(Avx, ASnapshotWithUpperHalvesIsRefusedWhereCpuidHasNone) {
  switchOn(processor_, kAll);
  const ExtendedState saved = saveExtended(processor_.cpu());
  BareProcessor other;
  EXPECT_EQ(loadExtended(other.cpu(), saved).error().text(),
            "the guest's CPUID offers the states 0x3; the saved one uses 0x0 with XCR0 0x7");
}

TEST_F(Avx, AGatherGoesOnWhereAFaultInterruptedIt) {
  switchOn(processor_, kAll);
  const std::uint64_t second = BareProcessor::kData + kPageBytes;
  processor_.write<std::uint32_t>(BareProcessor::kData, 0x11);
  processor_.write<std::uint32_t>(second, 0x22);
  setYmm(processor_, 1, {0, kPageBytes, 0, kPageBytes, 0, 0, 0, 0});  // indices
  setYmm(processor_, 2, {~0U, ~0U, ~0U, 0, ~0U, 0, 0, 0});            // mask
  setYmm(processor_, 0, {9, 9, 9, 9, 9, 9, 9, 9});
  processor_.gpr(kRdi) = BareProcessor::kData;
  processor_.setPage(second, BareProcessor::Page::absent);
  processor_.setCode(kGather);
  processor_.run();
  expectFault(Exception::pageFault);
  EXPECT_EQ(ymm(processor_, 0)[0], 0x11U);
  EXPECT_EQ(ymm(processor_, 2), (Words{0, ~0U, ~0U, 0, ~0U, 0, 0, 0}));
  processor_.write<std::uint32_t>(BareProcessor::kData, 0x33);  // what is done is not read again
  processor_.setPage(second, BareProcessor::Page::writable);
  EXPECT_TRUE(processor_.finishes(kGather));
  EXPECT_EQ(ymm(processor_, 0), (Words{0x11, 0x22, 0x33, 9, 0x33, 9, 9, 9}));
  EXPECT_EQ(ymm(processor_, 2), Words{});
}

TEST_F(Avx, MovesOfWholeRegistersMustBeAlignedWhereTheManualSaysSo) {
  switchOn(processor_, kAll);
  processor_.gpr(kRdi) = BareProcessor::kData + 16;
  processor_.setCode({0xc5, 0xfc, 0x28, 0x07});  // vmovaps ymm0, [rdi]
  processor_.run();
  expectFault(Exception::generalProtection);
  EXPECT_TRUE(processor_.finishes({0xc5, 0xfc, 0x10, 0x07}));  // vmovups
}

}  // namespace
}  // namespace qm::soft
