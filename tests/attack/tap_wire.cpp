#include "tests/attack/tap_wire.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>

#include "vmm/network/slot.h"
#include "vmm/os/ioctl.h"
#include "vmm/os/namespaces.h"
#include "vmm/result/check.h"

namespace qm::test {

namespace {

void sendOne(const FileDescriptor& socket, std::uint64_t number) {
  constexpr std::size_t kMost = 1514;
  std::array<std::uint8_t, kMost> frame{};
  // A broadcast, of a type that nobody speaks (IEEE 802, local experimental), of which the rest is 'h'.
  std::memset(frame.data(), 'h', frame.size());
  std::memset(frame.data(), 0xff, 6);
  frame[12] = 0x88;
  frame[13] = 0xb5;
  const std::size_t bytes = ETH_HLEN + number * 67 % (kMost - ETH_HLEN + 1);
  // A tap that nobody has open, or that is full, loses it.
  (void)::send(socket.get(), frame.data(), bytes, MSG_DONTWAIT);
}

}  // namespace

std::string TapWire::name() {
  return "tap0";
}

std::unique_ptr<TapWire> TapWire::lay() {
  if (!moveToOwn(std::array{Namespace::network}).has_value()) return nullptr;
  const Result<FileDescriptor> tap = network::furnishSlot();
  if (!tap.has_value()) return nullptr;
  // So that it is there when nobody has it open: each VMM opens it by its name.
  CHECK(callIoctl(*tap, TUNSETPERSIST, 1UL, "TUNSETPERSIST").has_value());
  FileDescriptor socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  sockaddr_ll link{};
  link.sll_family = AF_PACKET;
  link.sll_ifindex = static_cast<int>(::if_nametoindex(name().c_str()));
  CHECK(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&link), sizeof link) == 0);
  return std::unique_ptr<TapWire>(new TapWire(std::move(socket)));
}

TapWire::TapWire(FileDescriptor socket)
    : socket_(std::move(socket)), sender_([this](const std::stop_token& stop) {
        for (std::uint64_t number = 0; !stop.stop_requested(); ++number) {
          sendOne(socket_, number);
          // The guest's CPU in software wants one of the host's, too.
          if (number % 16 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
      }) {}

}  // namespace qm::test
