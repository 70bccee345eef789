#include "vmm/guest/system/network_address.h"

#include <arpa/inet.h>

#include <gtest/gtest.h>

namespace qm::guest {
namespace {

TEST(NetworkAddress, AMacIsSixPairsOfDigits) {
  EXPECT_EQ(parseMac("02:00:0a:FF:00:01").value(), (MacAddress{2, 0, 10, 255, 0, 1}));
}

TEST(NetworkAddress, WhatIsNoMacOfAStationIsRefused) {
  for (const char* text : {"", "02:00:00:00:00", "02:00:00:00:00:0", "02-00-00-00-00-01", "02:00:00:00:00:0g",
                           "02:00:00:00:00:01:", "2:000:00:00:00:01", "01:00:5e:00:00:01"}) {
    EXPECT_FALSE(parseMac(text).has_value()) << text;
  }
}

TEST(NetworkAddress, ANetworkIsAnAddressAndAPrefix) {
  const Ipv4Network network = parseNetwork("10.0.0.2/24").value();
  EXPECT_EQ(network.address, htonl(0x0a00'0002));
  EXPECT_EQ(network.mask, htonl(0xffff'ff00));
}

TEST(NetworkAddress, TheWidestAndTheNarrowestPrefixesAreTaken) {
  EXPECT_EQ(parseNetwork("10.0.0.2/0").value().mask, 0U);
  EXPECT_EQ(parseNetwork("10.0.0.2/32").value().mask, 0xffff'ffffU);
}

TEST(NetworkAddress, WhatIsNoNetworkIsRefused) {
  for (const char* text : {"", "10.0.0.2", "10.0.0.2/", "10.0.0.2/33", "10.0.0.2/-1", "10.0.0/24", "10.0.0.2/24 "}) {
    EXPECT_FALSE(parseNetwork(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace qm::guest
