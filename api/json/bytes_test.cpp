#include "api/json/bytes.h"

#include <string>

#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <gtest/gtest.h>

#include "api/json/base64.h"

namespace qm {
namespace {

std::vector<std::byte> bytesOf(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

TEST(Base64, Rfc4648sOwnExamplesHoldBothWays) {
  const std::pair<std::string_view, std::string_view> examples[] = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : examples) {
    EXPECT_EQ(toBase64(bytesOf(plain)), encoded);
    EXPECT_EQ(fromBase64(encoded).value(), bytesOf(plain));
  }
}

TEST(Base64, OneTextStandsForOneSequenceOfBytes) {
  // Missing padding, an unused bit set, a foreign character, padding in the middle.
  for (const std::string_view refused : {"Zg", "Zh==", "Zm9-", "Zg==Zg==", "=", "===="}) {
    EXPECT_FALSE(fromBase64(refused).has_value()) << refused;
  }
}

TEST(Bytes, Utf8TravelsAsAStringAndTheRestAsBase64) {
  EXPECT_EQ(bytesToJson(bytesOf("gr\xc3\xbc\xc3\x9f")), boost::json::value("gr\xc3\xbc\xc3\x9f"));
  EXPECT_EQ(bytesToJson(bytesOf("\xff")), (boost::json::value{{"base64", "/w=="}}));
}

TEST(Bytes, EveryByteSurvivesTheJourney) {
  std::vector<std::byte> all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<std::byte>(byte));
  EXPECT_EQ(bytesFromJson(bytesToJson(all)).value(), all);
}

TEST(Bytes, OtherShapesAreRefused) {
  EXPECT_FALSE(bytesFromJson(7).has_value());
  EXPECT_FALSE(bytesFromJson({{"base64", "Zg=="}, {"gzip", true}}).has_value());
}

TEST(Utf8, IllFormedSequencesAreSeen) {
  // Overlong '/', a surrogate, above U+10FFFF, cut short, a lone continuation byte.
  for (const std::string_view ill : {"\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80"}) {
    EXPECT_FALSE(isUtf8(ill));
  }
  for (const std::string_view well : {"", "plain", "\xe2\x82\xac", "\xf4\x8f\xbf\xbf", "\xee\x80\x80"}) {
    EXPECT_TRUE(isUtf8(well));
  }
}

}  // namespace
}  // namespace qm
