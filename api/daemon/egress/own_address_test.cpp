#include "api/daemon/egress/own_address.h"

#include <array>
#include <thread>

#include <gtest/gtest.h>

#include "vmm/network/route_socket.h"
#include "vmm/os/namespaces.h"

namespace qm {
namespace {

bool isOwnText(const char* text) {
  return isOwnAddress(boost::asio::ip::make_address(text));
}

TEST(OwnAddress, LoopbackIsOwnWhereverOneIs) {
  EXPECT_TRUE(isOwnText("127.0.0.1"));
  EXPECT_TRUE(isOwnText("127.1.2.3")) << "no interface has it, and it leads here all the same";
}

// On a thread of its own, whose network is its own.
TEST(OwnAddress, AnInterfacesPublicAddressIsAndOthersAreNot) {
  std::thread([] {
    if (!moveToOwn(std::array{Namespace::network}).has_value()) GTEST_SKIP() << "this host allows no network namespace";
    EXPECT_FALSE(isOwnText("9.9.9.9")) << "it leads nowhere";
    constexpr std::uint32_t kLoopback = 1;
    ASSERT_TRUE(network::RouteRequests().bringUp(kLoopback).addAddress(kLoopback, 0x0909'0909, 24).send().has_value());
    EXPECT_TRUE(isOwnText("9.9.9.9"));
    EXPECT_TRUE(isOwnText("9.9.9.255")) << "its broadcast";
    EXPECT_FALSE(isOwnText("9.9.10.9"));
    EXPECT_FALSE(isOwnText("2a00:1450::1"));
  }).join();
}

}  // namespace
}  // namespace qm
