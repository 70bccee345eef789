// The line as a whole, in virtual time: tenants come at fixed distances, makers take fixed times, nothing else happens.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "pool/board/line_rule.h"
#include "pool/board/orders.h"

namespace qm::pool {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t kMakers = 2;

struct Crowd {
  microseconds between{};   // two arrivals
  microseconds making{};    // one clone
  microseconds patience{};  // what a tenant says
  microseconds gone{};      // what it really has: a clone that comes later serves nobody
  microseconds lasts{};
};

struct Outcome {
  std::uint32_t came = 0;
  std::uint32_t served = 0;   // in time
  std::uint32_t refused = 0;  // at once
  std::uint32_t wasted = 0;   // clones made for who was gone
  microseconds longestWait{};
};

class Simulation {
 public:
  Simulation(const LineRule& rule, const Crowd& crowd) : rule_(rule), crowd_(crowd) {}

  Outcome run() {
    for (TimePoint at; at < TimePoint() + crowd_.lasts; at += crowd_.between) {
      workUntil(at);
      arrive(at);
    }
    workUntil(TimePoint::max());
    return outcome_;
  }

 private:
  void arrive(TimePoint now) {
    ++outcome_.came;
    if (!rule_.admits(orders_.count(), pace_, crowd_.patience)) {
      ++outcome_.refused;
      return;
    }
    tenants_.emplace_back(new Order{.templateName = "a", .since = now, .until = now + crowd_.patience});
    orders_.add(*tenants_.back());
    begin(now);
  }

  // Makers end, in their order, and begin with who is next.
  void workUntil(TimePoint time) {
    for (;;) {
      const auto next = std::ranges::min_element(ends_);
      if (next == ends_.end() || *next > time) return;
      const TimePoint now = *next;
      ends_.erase(next);
      pace_.took(crowd_.making);
      deliver(now);
      begin(now);
    }
  }

  void begin(TimePoint now) {
    orders_.dropLate(now, Error(Remedy::retry, "late"));
    while (ends_.size() < kMakers && ends_.size() < orders_.count()) ends_.push_back(now + crowd_.making);
  }

  void deliver(TimePoint now) {
    Order* first = orders_.first("a");
    if (first == nullptr) return;
    const auto waited = std::chrono::duration_cast<microseconds>(now - first->since);
    if (waited > crowd_.gone) {
      ++outcome_.wasted;
    } else {
      ++outcome_.served;
      outcome_.longestWait = std::max(outcome_.longestWait, waited);
    }
    orders_.answer(*first, Error(Remedy::giveUp, "there are no VMs here"));
  }

  LineRule rule_;
  Crowd crowd_;
  Orders orders_;
  Pace pace_;
  std::vector<TimePoint> ends_;  // of clones that are being made
  std::vector<std::unique_ptr<Order>> tenants_;
  Outcome outcome_;
};

// Two makers of 6 ms each make 333 a second; so many come twice.
Crowd twiceWhatIsMade() {
  return {.between = microseconds(1'500),
          .making = milliseconds(6),
          .patience = seconds(1),
          .gone = seconds(1),
          .lasts = seconds(20)};
}

TEST(Line, AtTwiceWhatTheMakersMakeNearlyAllOfItStillServes) {
  const Outcome outcome = Simulation({.longest = 1024, .makers = kMakers}, twiceWhatIsMade()).run();
  const std::uint32_t made = outcome.came / 2;  // at most, in that time
  EXPECT_GE(outcome.served, made * 95 / 100);
  EXPECT_EQ(outcome.wasted, 0U);
  EXPECT_LE(outcome.longestWait, seconds(1));
  // Whoever is not served was told so at once, not after its second.
  EXPECT_EQ(outcome.served + outcome.refused, outcome.came);
}

TEST(Line, WithoutTheRuleEverythingIsMadeForWhoIsGone) {
  Crowd crowd = twiceWhatIsMade();
  crowd.patience = seconds(10);  // what the line allowed, whatever the tenants' own patience
  const Outcome outcome = Simulation({.longest = 1024, .makers = kMakers}, crowd).run();
  EXPECT_GT(outcome.wasted, outcome.served);
}

TEST(Line, BelowWhatTheMakersMakeNobodyIsRefused) {
  Crowd crowd = twiceWhatIsMade();
  crowd.between = microseconds(3'100);
  const Outcome outcome = Simulation({.longest = 1024, .makers = kMakers}, crowd).run();
  EXPECT_EQ(outcome.refused, 0U);
  EXPECT_EQ(outcome.served, outcome.came);
}

TEST(Line, MakersThatAreSlowerThanAnyPatienceAreTriedAllTheSame) {
  const LineRule rule{.longest = 1024, .makers = kMakers};
  Pace pace;
  pace.took(seconds(60));
  EXPECT_TRUE(rule.admits(0, pace, seconds(1)));
  EXPECT_TRUE(rule.admits(1, pace, seconds(1)));
  EXPECT_FALSE(rule.admits(2, pace, seconds(1)));
  EXPECT_TRUE(rule.admits(2, pace, seconds(120)));
  // Once they are themselves again the line is as long as ever.
  for (int i = 0; i < 100; ++i) pace.took(milliseconds(6));
  EXPECT_TRUE(rule.admits(100, pace, seconds(1)));
}

TEST(Line, ItHasAnEndWhateverThePatience) {
  const LineRule rule{.longest = 3, .makers = kMakers};
  EXPECT_TRUE(rule.admits(2, Pace(), seconds(1)));
  EXPECT_FALSE(rule.admits(3, Pace(), std::chrono::hours(1)));
}

TEST(Pace, FollowsWhatTheLastClonesTook) {
  Pace pace;
  EXPECT_EQ(pace.until(5, 1), microseconds(0));
  pace.took(milliseconds(8));
  EXPECT_EQ(pace.mean(), milliseconds(8));
  EXPECT_EQ(pace.until(3, 2), milliseconds(16));
  pace.took(milliseconds(16));
  EXPECT_EQ(pace.mean(), milliseconds(9));
}

}  // namespace
}  // namespace qm::pool
