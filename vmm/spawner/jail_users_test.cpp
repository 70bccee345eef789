#include "vmm/spawner/jail_users.h"

#include <gtest/gtest.h>

namespace qm::spawner {
namespace {

TEST(JailUsers, NoTwoProcessesAreTheSameUser) {
  JailUsers users(64000, 3);
  users.hold(1, users.free().value());
  EXPECT_EQ(users.free().value(), 64001U);
  users.hold(2, 64001);
  users.release(1);
  EXPECT_EQ(users.free().value(), 64000U) << "the lowest that is free";
}

TEST(JailUsers, WhenAllAreTakenItIsSaidAndComesBackWithAnEnd) {
  JailUsers users(64000, 1);
  users.hold(1, 64000);
  EXPECT_EQ(users.free().error().text(), "all 1 users for jailed processes are taken");
  EXPECT_EQ(users.free().error().remedy(), Remedy::retry);
  users.release(7);
  EXPECT_FALSE(users.free().has_value()) << "the end of a process that held none frees none";
  users.release(1);
  EXPECT_TRUE(users.free().has_value());
}

}  // namespace
}  // namespace qm::spawner
