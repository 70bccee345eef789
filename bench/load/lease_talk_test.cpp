#include "bench/load/lease_talk.h"

#include <gtest/gtest.h>

namespace qm::bench {
namespace {

TEST(LeaseTalk, AskingForALeaseNamesWhatIsWished) {
  const std::string body = R"({"template":"hello","ttl_seconds":9,"wait_ms":50,"road":"spawn"})";
  EXPECT_EQ(acquireMessage({.road = pool::Road::spawn, .waitMs = 50, .ttlS = 9}),
            "POST /v1/leases HTTP/1.1\r\nHost: quickmatch\r\nContent-Type: application/json\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body);
}

TEST(LeaseTalk, AGrantIsReadWithItsPhases) {
  const auto lease = readGrant(
      R"({"id":"a","token":"t","road":"blank","phases_us":{"take":3,"restore":40,"total":43},"expires_at":"x"})");
  ASSERT_TRUE(lease.has_value());
  EXPECT_EQ(lease->id, "a");
  EXPECT_EQ(lease->token, "t");
  EXPECT_EQ(lease->road, pool::Road::blank);
  const std::vector<std::pair<std::string, std::uint64_t>> phases{{"take", 3}, {"restore", 40}, {"total", 43}};
  EXPECT_EQ(lease->phases, phases);
}

TEST(LeaseTalk, AGrantByAnUnknownRoadIsNone) {
  EXPECT_FALSE(readGrant(R"({"id":"a","token":"t","road":"air","phases_us":{}})").has_value());
  EXPECT_FALSE(readGrant(R"({"id":"a","token":"t","road":"ready"})").has_value());
  EXPECT_FALSE(readGrant("[]").has_value());
}

TEST(LeaseTalk, APingWithoutTheGuestsNonceIsNoReply) {
  EXPECT_EQ(readPing(R"({"nonce":"0123456789abcdef","guest_nonce":"00000000000000ff","guest_us":1})").value(),
            "00000000000000ff");
  EXPECT_FALSE(readPing(R"({"nonce":"0123456789abcdef","guest_nonce":""})").has_value());
  EXPECT_FALSE(readPing(R"({"nonce":"0123456789abcdef"})").has_value());
}

TEST(LeaseTalk, AnExecThatSaysAnotherRequestsWordIsNoAnswer) {
  EXPECT_TRUE(readExec(R"({"exit_code":0,"stdout":"qm-7\n"})", "qm-7").has_value());
  EXPECT_FALSE(readExec(R"({"exit_code":0,"stdout":"qm-8\n"})", "qm-7").has_value());
  EXPECT_FALSE(readExec(R"({"exit_code":1,"stdout":"qm-7\n"})", "qm-7").has_value());
}

TEST(LeaseTalk, AProblemIsToldByItsCodeAndCause) {
  EXPECT_EQ(problemOf(503, R"({"code":"short-of-resources","cause":"no clone"})"), "503 short-of-resources: no clone");
  EXPECT_EQ(problemOf(500, "oh"), "500");
}

}  // namespace
}  // namespace qm::bench
