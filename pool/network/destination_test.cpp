#include "pool/network/destination.h"

#include <gtest/gtest.h>

namespace qm::pool {
namespace {

TEST(Destination, OneHostHasOneSpelling) {
  EXPECT_EQ(destinationFrom("Example.ORG:443").value(), (Destination{.host = "example.org", .port = 443}));
  EXPECT_EQ(destinationFrom("192.0.2.7:80").value(), (Destination{.host = "192.0.2.7", .port = 80}));
  EXPECT_EQ(textOf(destinationFrom("[2001:DB8:0:0::1]:443").value()), "[2001:db8::1]:443");
}

TEST(Destination, WhatIsNoneIsRefusedByItsText) {
  for (const char* text :
       {"", "example.org", ":443", "example.org:", "example.org:0", "example.org:65536", "example.org:443x",
        "exa mple:1", "[2001:db8::1:443", "2001:db8::1:443", ".org:1", "org.:1"}) {
    const auto read = destinationFrom(text);
    ASSERT_FALSE(read.has_value()) << text;
    EXPECT_EQ(read.error().remedy(), Remedy::fixInput);
  }
}

TEST(Destination, NoNameIsWhatAResolverTakesForAnAddress) {
  for (const char* text : {"127.1:80", "2130706433:80", "0x7f.0.0.1:80", "0177.0.0.1:80", "example.0x7f000001:80"})
    EXPECT_FALSE(destinationFrom(text).has_value()) << text;
  EXPECT_TRUE(isAddress(destinationFrom("127.0.0.1:80").value()));
  EXPECT_TRUE(isAddress(destinationFrom("[::1]:80").value()));
  EXPECT_FALSE(isAddress(destinationFrom("localhost:80").value()));
}

}  // namespace
}  // namespace qm::pool
