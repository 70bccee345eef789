#include "pool/lease/lease_book.h"

#include <gtest/gtest.h>

namespace qm::pool {
namespace {

using std::chrono::milliseconds;

constexpr Now kNow{.time = TimePoint(std::chrono::hours(1)), .wall = WallTime(std::chrono::hours(2))};

LeaseBook::Opened opened(LeaseBook& book, milliseconds ttl) {
  LeaseBook::Drawn drawn = LeaseBook::draw("hello", Road::ready, ttl, kNow);
  book.open(drawn, nullptr);
  return std::move(drawn.opened);
}

TEST(LeaseBook, ALeaseIsOverAtItsTimeAlsoBeforeAnybodyTakesItAway) {
  LeaseBook book;
  const auto lease = opened(book, milliseconds(10));
  EXPECT_EQ(lease.view.expiresAt, kNow.wall + milliseconds(10));
  EXPECT_EQ(book.nextExpiry(), kNow.time + milliseconds(10));
  EXPECT_EQ(book.access(lease.view.id, lease.token, kNow.time + milliseconds(9)), Access::granted);
  EXPECT_EQ(book.access(lease.view.id, lease.token, kNow.time + milliseconds(10)), Access::ended);
  EXPECT_FALSE(book.view(lease.view.id, kNow.time + milliseconds(10)));
  EXPECT_FALSE(book.vm(lease.view.id, kNow.time + milliseconds(10)));
  EXPECT_EQ(book.takeExpired(kNow.time + milliseconds(10)).size(), 1U);
  EXPECT_EQ(book.nextExpiry(), TimePoint::max());
}

TEST(LeaseBook, ClosingTwiceIsToldFromALeaseThatNeverWas) {
  LeaseBook book;
  const auto lease = opened(book, milliseconds(10));
  EXPECT_TRUE(book.close(lease.view.id).value().has_value());
  EXPECT_FALSE(book.close(lease.view.id).value().has_value());
  EXPECT_FALSE(book.close("lease-never"));
}

TEST(LeaseBook, EndedLeasesAreForgottenInTheirOrder) {
  LeaseBook book;
  const auto first = opened(book, milliseconds(10));
  book.close(first.view.id).value();
  for (int i = 0; i < 4096; ++i) {  // as many as are remembered
    book.close(opened(book, milliseconds(10)).view.id).value();
  }
  EXPECT_EQ(book.access(first.view.id, first.token, kNow.time), Access::noSuchLease);
}

TEST(LeaseBook, LeasesAreCountedByTemplate) {
  LeaseBook book;
  opened(book, milliseconds(10));
  book.open(LeaseBook::draw("python", Road::boot, milliseconds(10), kNow), nullptr);
  EXPECT_EQ(book.count("hello"), 1U);
  EXPECT_EQ(book.views().size(), 2U);
  EXPECT_EQ(book.takeAll().size(), 2U);
}

TEST(Token, MatchesItselfAlone) {
  const Token token = freshToken();
  EXPECT_TRUE(TokenDigest(token).matches(token));
  EXPECT_FALSE(TokenDigest(token).matches(freshToken()));
  EXPECT_FALSE(TokenDigest(token).matches(""));
}

}  // namespace
}  // namespace qm::pool
