#include "api/daemon/rest/lease_json.h"

#include <gtest/gtest.h>

#include "api/json/fields.h"

namespace qm::rest {
namespace {

using namespace std::chrono_literals;

TEST(LeaseJson, AnAcquireHasItsRoadOnlyWhenItIsForced) {
  const auto plain = acquireRequestFromJson(parseJson(R"({"template":"hello"})").value()).value();
  EXPECT_EQ(plain.templateName, "hello");
  EXPECT_EQ(plain.ttl, std::chrono::seconds(60));
  EXPECT_FALSE(plain.forced.has_value());
  const auto forced =
      acquireRequestFromJson(parseJson(R"({"template":"hello","ttl_seconds":5,"wait_ms":20,"road":"boot"})").value());
  EXPECT_EQ(forced.value().forced, pool::Road::boot);
  EXPECT_EQ(forced.value().wait, std::chrono::milliseconds(20));
  EXPECT_FALSE(acquireRequestFromJson(parseJson(R"({"template":"hello","road":"air"})").value()).has_value());
}

TEST(LeaseJson, ATenantsPatienceIsItsOwnWhenItNamesOne) {
  const auto of = [](const char* text) { return acquireRequestFromJson(parseJson(text).value()); };
  EXPECT_EQ(of(R"({"template":"hello"})").value().patience, std::nullopt);
  EXPECT_EQ(of(R"({"template":"hello","patience_ms":0})").value().patience, std::chrono::milliseconds(0));
  EXPECT_FALSE(of(R"({"template":"hello","patience_ms":600001})").has_value());
}

TEST(LeaseJson, PhasesThatWereTriedAgainAddUp) {
  pool::Phases phases;
  phases.add(pool::Phase::restore, 300us);
  phases.add(pool::Phase::restore, 200us);
  phases.add(pool::Phase::ping, 50us);
  EXPECT_EQ(toJson(phases), (boost::json::object{{"restore", 500}, {"ping", 50}, {"total", 550}}));
}

TEST(LeaseJson, ExpiryIsAPointInTimeOfUtc) {
  const pool::LeaseView lease{.id = "lease-1",
                              .templateName = "hello",
                              .road = pool::Road::blank,
                              .expiresAt = pool::WallTime(std::chrono::milliseconds(1'770'000'000'042))};
  EXPECT_EQ(toJson(lease).at("expires_at"), "2026-02-02T02:40:00.042Z");
  EXPECT_EQ(toJson(lease).at("road"), "blank");
}

TEST(LeaseJson, NoncesAreTextsSoThatNoReaderRoundsThem) {
  const pool::Reply reply{.pong = {.nonce = 0xffff'ffff'ffff'fff1, .guestNonce = 0x2a, .handledUs = 12},
                          .roundTrip = 90us};
  EXPECT_EQ(toJson(reply), (boost::json::object{{"guest_us", 12},
                                                {"round_trip_us", 90},
                                                {"nonce", "fffffffffffffff1"},
                                                {"guest_nonce", "000000000000002a"}}));
}

}  // namespace
}  // namespace qm::rest
