#include "api/daemon/egress/egress_rules.h"

#include <gtest/gtest.h>

namespace qm {
namespace {

bool isPublicText(const char* text) {
  return isPublic(boost::asio::ip::make_address(text));
}

TEST(EgressRules, TheListIsTakenLiterally) {
  const std::vector<pool::Destination> list{pool::destinationFrom("example.org:443").value(),
                                            pool::destinationFrom("192.0.2.7:443").value()};
  EXPECT_TRUE(permitted(list, "example.org:443").has_value());
  EXPECT_TRUE(permitted(list, "EXAMPLE.org:443").has_value()) << "names have no case";
  EXPECT_TRUE(permitted(list, "192.0.2.7:443").has_value());
  for (const char* other :
       {"example.org:80", "www.example.org:443", "example.org.:443", "example.orgx:443", "192.0.2.8:443",
        "192.0.2.7:80", "[::ffff:192.0.2.7]:443", "3221225991:443", "example.org", "", "http://example.org:443/"})
    EXPECT_FALSE(permitted(list, other).has_value()) << other;
}

TEST(EgressRules, AnAddressIsListedWithItsPortOnly) {
  const std::vector<pool::Destination> list{pool::destinationFrom("10.1.2.3:443").value(),
                                            pool::destinationFrom("[fd00:0:0:0::1]:443").value()};
  const auto isListedText = [&list](const char* address, std::uint16_t port) {
    return isListed(list, boost::asio::ip::make_address(address), port);
  };
  EXPECT_TRUE(isListedText("10.1.2.3", 443));
  EXPECT_TRUE(isListedText("fd00::1", 443));
  EXPECT_FALSE(isListedText("10.1.2.3", 80));
  EXPECT_FALSE(isListedText("10.1.2.4", 443));
}

TEST(EgressRules, WhatIsNobodysOnTheInternetIsNotPublic) {
  for (const char* special :
       {"0.0.0.0",         "10.0.0.1",        "100.64.0.1", "127.0.0.1",   "127.255.255.255",  "169.254.169.254",
        "172.16.0.1",      "172.31.255.255",  "192.0.0.1",  "192.168.1.1", "198.18.0.1",       "224.0.0.1",
        "240.0.0.1",       "255.255.255.255", "::",         "::1",         "::ffff:127.0.0.1", "::ffff:8.8.8.8",
        "64:ff9b::7f00:1", "fc00::1",         "fd00::1",    "fe80::1",     "ff02::1",          "2001:db8::1",
        "2001::1",         "2002:7f00:1::",   "3fff::1"})
    EXPECT_FALSE(isPublicText(special)) << special;
  for (const char* given : {"8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.167.0.1",
                            "223.255.255.255", "2606:4700::1", "2a00:1450::1", "2001:4860:4860::8888"})
    EXPECT_TRUE(isPublicText(given)) << given;
}

}  // namespace
}  // namespace qm
