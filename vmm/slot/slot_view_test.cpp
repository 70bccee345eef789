// What a page may say: pages of every kind of nonsense.
#include "vmm/slot/slot_view.h"

#include <cstring>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qm::slot {
namespace {

using namespace std::chrono_literals;
using TimePoint = std::chrono::steady_clock::time_point;

constexpr TimePoint kMade = TimePoint(1000s);
constexpr TimePoint kNow = kMade + 2s;

std::uint64_t at(std::chrono::nanoseconds sinceMade) {
  return static_cast<std::uint64_t>((kMade.time_since_epoch() + sinceMade).count());
}

Copy fresh() {
  Copy copy{};
  copy.maker = {.magic = kMagic, .version = kVersion};
  return copy;
}

// A clone that has run for a while.
Copy lived() {
  Copy copy = fresh();
  copy.loop.state = stateWord(State::running, 1);
  copy.loop.heartbeats = 7;
  copy.loop.populated = 90;
  copy.loop.marks = {{{.at = at(1ms), .cpuNs = 1'000'000, .faults = 10},
                      {.at = at(2ms), .cpuNs = 1'500'000, .faults = 30},
                      {.at = at(5ms), .cpuNs = 3'000'000, .faults = 200}}};
  copy.vcpus[0] = {.instructions = 100'000, .decoded = 50, .exits = {1, 2, 3, 4, 5, 0}};
  copy.vcpus[1] = {.instructions = 5, .decoded = 1, .exits = {1, 0, 0, 0, 0, 0}};
  return copy;
}

std::string refusalOf(const Copy& copy) {
  const auto view = checked(copy, kMade, kNow);
  return view.has_value() ? "none" : view.error().text();
}

TEST(SlotView, APageThatNobodyWroteOnIsUnborn) {
  EXPECT_EQ(checked(fresh(), kMade, kNow).value(), View());
}

TEST(SlotView, WhatAVmWroteIsReadAndItsVcpusSummed) {
  const View view = checked(lived(), kMade, kNow).value();
  EXPECT_EQ(view.state, State::running);
  EXPECT_EQ(view.guests, 1U);
  EXPECT_EQ(view.busy, std::nullopt);
  EXPECT_EQ(view.populated, 90U);
  EXPECT_EQ(view.instructions, 100'005U);
  EXPECT_EQ(view.decoded, 51U);
  EXPECT_EQ(view.exits, (std::array<std::uint64_t, kExitKinds>{2, 2, 3, 4, 5, 0}));
  EXPECT_EQ(view.at(Moment::loaded), (Used{.since = 5ms, .cpu = 3ms, .faults = 200}));
}

TEST(SlotView, ALoopAtWorkIsToldWithForHowLong) {
  Copy copy = lived();
  copy.loop.busySince = at(1500ms);
  EXPECT_EQ(checked(copy, kMade, kNow).value().busy, 500ms);
}

TEST(SlotView, AnotherMagicOrVersionIsRefused) {
  Copy copy = lived();
  copy.maker.version = kVersion + 1;
  EXPECT_EQ(refusalOf(copy), "the VM's slot page is spoilt");
  EXPECT_EQ(refusalOf(Copy{}), "the VM's slot page is spoilt");
}

TEST(SlotView, AStateThatThereIsNotIsRefused) {
  Copy copy = lived();
  copy.loop.state = 77;
  EXPECT_EQ(refusalOf(copy), "the VM's slot page has no state that there is");
}

TEST(SlotView, AGuestThatWasNeverBegunIsRefused) {
  Copy copy = lived();
  copy.loop.state = stateWord(State::running, 0);
  EXPECT_EQ(refusalOf(copy), "the VM's slot page has a guest that was never begun");
}

TEST(SlotView, TimesOutsideOfThePagesLifeAreRefused) {
  Copy copy = lived();
  copy.loop.busySince = at(3s);
  EXPECT_EQ(refusalOf(copy), "the VM's slot page has a heartbeat of another time");
  copy = lived();
  copy.loop.marks[2].at = at(-1ms);
  EXPECT_EQ(refusalOf(copy), "the VM's slot page has a mark that cannot be");
}

TEST(SlotView, MoreThanThereWasTimeForIsRefused) {
  Copy copy = lived();
  copy.vcpus[7].instructions = ~std::uint64_t{0};
  EXPECT_EQ(refusalOf(copy), "the VM's slot page counts more than there was time for");
  copy = lived();
  copy.loop.marks[2].cpuNs = 60'000'000'000;
  EXPECT_EQ(refusalOf(copy), "the VM's slot page has a mark that cannot be");
}

TEST(SlotView, MarksThatGoBackwardsAreRefused) {
  Copy copy = lived();
  copy.loop.marks[1].cpuNs = 4'000'000;
  EXPECT_EQ(refusalOf(copy), "the VM's slot page has marks that go backwards");
}

// Whatever is on it: refused, or within what two seconds allow. Seeds 1 to 20,000; a third of the words are small, so
// that pages get past the first checks.
TEST(SlotView, ARandomPageNeverMisleads) {
  int taken = 0;
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    std::mt19937_64 random(seed);
    Copy copy{};
    std::array<std::uint64_t, sizeof(Copy) / sizeof(std::uint64_t)> words{};
    for (std::uint64_t& word : words) word = random() % 3 == 0 ? random() >> (random() % 64) : 0;
    std::memcpy(&copy, words.data(), sizeof copy);
    copy.maker = {.magic = kMagic, .version = kVersion};
    const auto view = checked(copy, kMade, kNow);
    if (!view.has_value()) continue;
    ++taken;
    EXPECT_LE(view->instructions, 8 * 32'000'000'015U) << seed;
    EXPECT_LE(view->populated, 32'000'000'015U) << seed;
    EXPECT_LE(view->busy.value_or(0s), 2s) << seed;
    for (const auto& used : view->used) EXPECT_LE(used.value_or(Used()).cpu, 21s) << seed;
  }
  EXPECT_LT(taken, 20'000);
}

TEST(SlotCourse, StatesGoByTheirTableAndCountersForwards) {
  const View earlier = checked(lived(), kMade, kNow).value();
  View later = earlier;
  EXPECT_TRUE(checkCourse(earlier, later).has_value());
  later.state = State::ended;
  EXPECT_TRUE(checkCourse(earlier, later).has_value());
  EXPECT_EQ(checkCourse(later, earlier).error().text(), "the VM's slot page went from ended to running");
  later = earlier;
  later.instructions -= 1;
  EXPECT_EQ(checkCourse(earlier, later).error().text(), "the VM's slot page counts backwards");
}

TEST(SlotCourse, AnotherGuestInTheSameProcessMayBeAtAnyState) {
  const View earlier = checked(lived(), kMade, kNow).value();
  View later = earlier;
  later.guests = 2;
  later.state = State::blank;
  EXPECT_TRUE(checkCourse(earlier, later).has_value());
  EXPECT_FALSE(checkCourse(later, earlier).has_value());
}

}  // namespace
}  // namespace qm::slot
