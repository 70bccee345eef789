#include "vmm/network/slot.h"

#include <linux/capability.h>
#include <netinet/in.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <initializer_list>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vmm/network/slot_address.h"
#include "vmm/os/namespaces.h"
#include "vmm/os/tap.h"

namespace qm::network {
namespace {

// On a thread of its own, whose network namespace is the slot: namespaces are a thread's.
template <class Body>
void inSlot(const Body& body) {
  std::thread([&body] {
    if (!moveToOwn(std::array{Namespace::network}).has_value()) GTEST_SKIP() << "this host allows no network namespace";
    Result<FileDescriptor> tap = furnishSlot();
    ASSERT_TRUE(tap.has_value()) << tap.error().text();
    body(*tap);
  }).join();
}

// What a thread that lacks something is told when it furnishes a slot. `lose` is what it loses before, in namespaces of
// its own.
template <class Lose>
std::string toldWithout(const Lose& lose) {
  std::string told = "nothing: this host allows no such namespaces";
  std::thread([&] {
    if (!moveToOwn(std::array{Namespace::mount, Namespace::network}).has_value()) return;
    told = lose() ? furnishSlot().error().text() : "nothing: it lost nothing";
  }).join();
  return told;
}

TEST(NetworkSlot, AReadOnlyProcSysIsToldWithTheWayOut) {
  const std::string told = toldWithout([] {
    return ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::mount("/proc/sys", "/proc/sys", nullptr, MS_BIND, nullptr) == 0 &&
           ::mount(nullptr, "/proc/sys", nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) == 0;
  });
  if (told.starts_with("nothing")) GTEST_SKIP() << told;
  EXPECT_THAT(told, testing::HasSubstr("disable_ipv6: Read-only file system; make /proc/sys writable"));
}

TEST(NetworkSlot, AMissingCapabilityIsToldByItsName) {
  const std::string told = toldWithout([] {
    __user_cap_header_struct whose{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    std::array<__user_cap_data_struct, 2> sets{};
    if (::syscall(SYS_capget, &whose, sets.data()) < 0) return false;
    sets[0].effective &= ~(1U << CAP_NET_ADMIN);
    return ::syscall(SYS_capset, &whose, sets.data()) == 0;
  });
  if (told.starts_with("nothing")) GTEST_SKIP() << told;
  EXPECT_THAT(told, testing::HasSubstr("needs CAP_NET_ADMIN"));
}

// The next IPv4 frame that the gateway sends: where its EtherType is, behind the tap's header and two MACs.
std::vector<std::byte> nextFrame(const FileDescriptor& tap) {
  std::vector<std::byte> frame(2048);
  const Result<std::size_t> bytes = readFrame(tap, frame);
  frame.resize(bytes.value_or(0));
  return frame;
}

TEST(NetworkSlot, AConnectionToTheGuestIsAFrameForItsMacWithoutAskingForIt) {
  inSlot([](const FileDescriptor& tap) {
    const FileDescriptor socket = openSlotSocket(SlotSocket::toGuest).value();
    ASSERT_TRUE(beginConnecting(socket, 8080).has_value());
    const std::vector<std::byte> frame = nextFrame(tap);
    constexpr std::size_t kIpv4Header = 20;
    ASSERT_GE(frame.size(), kTapHeaderBytes + 14 + kIpv4Header);
    const auto* mac = frame.data() + kTapHeaderBytes;
    EXPECT_EQ(std::memcmp(mac, kGuestMac.data(), 6), 0);
    EXPECT_EQ(std::memcmp(mac + 6, kGatewayMac.data(), 6), 0);
    EXPECT_EQ(mac[12], std::byte{0x08}) << "IPv4";
    EXPECT_EQ(mac[13], std::byte{0x00});
  });
}

TEST(NetworkSlot, IsSilentByItself) {
  inSlot([](const FileDescriptor& tap) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    EXPECT_THAT(nextFrame(tap), testing::IsEmpty()) << "what wakes a guest that nobody speaks to";
  });
}

TEST(NetworkSlot, HasNoRouteButTheGuests) {
  inSlot([](const FileDescriptor&) {
    const FileDescriptor socket = openSlotSocket(SlotSocket::toGuest).value();
    sockaddr_in elsewhere{};
    elsewhere.sin_family = AF_INET;
    elsewhere.sin_port = htons(443);
    elsewhere.sin_addr.s_addr = htonl(0xc000'0201);  // 192.0.2.1, RFC 5737
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&elsewhere), sizeof elsewhere), -1);
    EXPECT_EQ(errno, ENETUNREACH);
  });
}

// "Who has 10.0.0.1? Tell" the sender (RFC 826), broadcast from the guest's MAC.
std::vector<std::byte> arpRequest(std::uint32_t sender) {
  std::vector<std::byte> frame(kTapHeaderBytes);
  const auto put = [&frame](std::initializer_list<unsigned> bytes) {
    for (const unsigned byte : bytes) frame.push_back(static_cast<std::byte>(byte));
  };
  put({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x51, 0x4d, 0, 0, 2, 0x08, 0x06});
  put({0, 1, 0x08, 0, 6, 4, 0, 1, 0x02, 0x51, 0x4d, 0, 0, 2});
  put({sender >> 24U, (sender >> 16U) & 0xffU, (sender >> 8U) & 0xffU, sender & 0xffU});
  put({0, 0, 0, 0, 0, 0, 10, 0, 0, 1});
  return frame;
}

// Each that is answered is an entry in a table that the host's own neighbours share.
TEST(NetworkSlot, AnswersNoArpFromAnAddressThatIsNotTheSlots) {
  inSlot([](const FileDescriptor& tap) {
    ASSERT_TRUE(writeFrame(tap, arpRequest(0xac10'0001)).has_value());  // 172.16.0.1
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_THAT(nextFrame(tap), testing::IsEmpty());
    ASSERT_TRUE(writeFrame(tap, arpRequest(kGuestAddress)).has_value());
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_THAT(nextFrame(tap), testing::Not(testing::IsEmpty())) << "its guest's";
  });
}

// A router advertisement would give it addresses and routes, as many as the guest likes.
TEST(NetworkSlot, HearsNoIpv6) {
  inSlot([](const FileDescriptor&) {
    EXPECT_EQ(readKernelFile("/proc/sys/net/ipv6/conf/tap0/disable_ipv6").value_or("1\n"), "1\n");
  });
}

TEST(NetworkSlot, ListensForItsGuestOnce) {
  inSlot([](const FileDescriptor&) {
    const Result<FileDescriptor> first = openSlotSocket(SlotSocket::fromGuest);
    EXPECT_TRUE(first.has_value());
    EXPECT_FALSE(openSlotSocket(SlotSocket::fromGuest).has_value());
  });
}

}  // namespace
}  // namespace qm::network
