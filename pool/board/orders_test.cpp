#include "pool/board/orders.h"

#include <gtest/gtest.h>

namespace qm::pool {
namespace {

TEST(Orders, WhoCameFirstIsServedFirst) {
  Orders orders;
  Order early{.templateName = "a"};
  Order late{.templateName = "a"};
  orders.add(early);
  orders.add(late);
  EXPECT_EQ(orders.count("a"), 2U);
  EXPECT_EQ(orders.first("a"), &early);
  orders.answer(early, Error(Remedy::retry, "not now"));
  EXPECT_EQ(orders.first("a"), &late);
  ASSERT_TRUE(early.answer.has_value());
  EXPECT_EQ(early.answer->error().text(), "not now");
  EXPECT_FALSE(late.answer.has_value());
}

TEST(Orders, OneThatWasWithdrawnIsServedNoMoreAndAMakersIsNotWithdrawn) {
  Orders orders;
  Order gone{.templateName = "a"};
  Order forced{.templateName = "a", .forced = Road::spawn};
  orders.add(gone);
  orders.add(forced);
  EXPECT_TRUE(orders.withdraw(gone));
  EXPECT_EQ(orders.first("a"), nullptr);
  EXPECT_EQ(orders.count(), 1U);
  EXPECT_EQ(orders.takeForced(), &forced);
  EXPECT_FALSE(orders.withdraw(forced));
}

TEST(Orders, AreKeptApartByTemplate) {
  Orders orders;
  Order one{.templateName = "a"};
  Order other{.templateName = "b"};
  orders.add(one);
  orders.add(other);
  EXPECT_EQ(orders.first("b"), &other);
  EXPECT_EQ(orders.first("c"), nullptr);
  EXPECT_EQ(orders.templates(), (std::vector<std::string>{"a", "b"}));
}

TEST(Orders, AForcedOneIsServedByNoOthersClone) {
  Orders orders;
  Order forced{.templateName = "a", .forced = Road::spawn};
  orders.add(forced);
  EXPECT_EQ(orders.first("a"), nullptr);
  EXPECT_EQ(orders.count("a"), 0U);
  EXPECT_TRUE(orders.templates().empty());
  EXPECT_EQ(orders.takeForced(), &forced);
  EXPECT_EQ(orders.takeForced(), nullptr);
}

TEST(Orders, AllAreAnsweredAtTheEnd) {
  Orders orders;
  Order one{.templateName = "a"};
  Order forced{.templateName = "a", .forced = Road::blank};
  orders.add(one);
  orders.add(forced);
  orders.answerAll(Error(Remedy::giveUp, "closed"));
  EXPECT_TRUE(one.answer.has_value());
  EXPECT_TRUE(forced.answer.has_value());
  EXPECT_EQ(orders.takeForced(), nullptr);
}

TEST(Orders, WhoseTimeIsOverIsAnsweredBeforeAnythingIsMadeForIt) {
  Orders orders;
  const TimePoint start;
  Order late{.templateName = "a", .until = start + std::chrono::milliseconds(10)};
  Order inTime{.templateName = "a", .until = start + std::chrono::milliseconds(11)};
  Order forced{.templateName = "a", .until = start, .forced = Road::spawn};
  for (Order* order : {&late, &inTime, &forced}) orders.add(*order);
  orders.dropLate(start + std::chrono::milliseconds(10), Error(Remedy::retry, "too late"));
  EXPECT_EQ(orders.first("a"), &inTime);
  EXPECT_EQ(orders.count(), 1U);
  ASSERT_TRUE(late.answer.has_value());
  EXPECT_EQ(late.answer->error().text(), "too late");
  EXPECT_TRUE(forced.answer.has_value());
}

TEST(Orders, AnAnswerRingsTheBellOfWhoWaitsInEpoll) {
  Orders orders;
  const Eventfd bell = Eventfd::create().value();
  Order order{.templateName = "a", .bell = &bell};
  orders.add(order);
  EXPECT_EQ(bell.take(), 0U);
  orders.answer(order, Error(Remedy::retry, "not now"));
  EXPECT_EQ(bell.take(), 1U);
}

}  // namespace
}  // namespace qm::pool
