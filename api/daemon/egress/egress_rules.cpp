#include "api/daemon/egress/egress_rules.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>

namespace qm {

namespace {

struct Block {
  std::uint32_t first;
  unsigned bits;
};

// IPv4: what is not globally reachable, and multicast.
constexpr std::array kSpecial{
    Block{0x0000'0000, 8},   // 0.0.0.0/8: this network
    Block{0x0a00'0000, 8},   // 10.0.0.0/8: private
    Block{0x6440'0000, 10},  // 100.64.0.0/10: shared
    Block{0x7f00'0000, 8},   // 127.0.0.0/8: loopback
    Block{0xa9fe'0000, 16},  // 169.254.0.0/16: link-local, and clouds' metadata
    Block{0xac10'0000, 12},  // 172.16.0.0/12: private
    Block{0xc000'0000, 24},  // 192.0.0.0/24: protocol assignments
    Block{0xc000'0200, 24},  // 192.0.2.0/24: documentation
    Block{0xc058'6300, 24},  // 192.88.99.0/24: 6to4 relays
    Block{0xc0a8'0000, 16},  // 192.168.0.0/16: private
    Block{0xc612'0000, 15},  // 198.18.0.0/15: benchmarks
    Block{0xc633'6400, 24},  // 198.51.100.0/24: documentation
    Block{0xcb00'7100, 24},  // 203.0.113.0/24: documentation
    Block{0xe000'0000, 3},   // 224.0.0.0/3: multicast, reserved, broadcast
};

bool isPublicV4(std::uint32_t address) {
  return std::ranges::none_of(kSpecial,
                              [&](const Block& block) { return (address ^ block.first) >> (32U - block.bits) == 0; });
}

// Of IPv6 only 2000::/3 is given out. Of that not: 2001::/23 (protocols, Teredo among them), 2001:db8::/32
// (documentation), 2002::/16 (6to4), 3fff::/20 (documentation).
bool isPublicV6(const boost::asio::ip::address_v6::bytes_type& bytes) {
  const std::uint32_t high =
      (std::uint32_t{bytes[0]} << 24U) | (std::uint32_t{bytes[1]} << 16U) | (std::uint32_t{bytes[2]} << 8U) | bytes[3];
  if (high >> 29U != 1) return false;
  return high >> 9U != 0x2001'0000U >> 9U && high != 0x2001'0db8U && high >> 16U != 0x2002U &&
         high >> 12U != 0x3fff'0000U >> 12U;
}

}  // namespace

bool isPublic(const boost::asio::ip::address& address) {
  return address.is_v4() ? isPublicV4(address.to_v4().to_uint()) : isPublicV6(address.to_v6().to_bytes());
}

bool isListed(const std::vector<pool::Destination>& list, const boost::asio::ip::address& address, std::uint16_t port) {
  return std::ranges::find(list, pool::Destination{.host = address.to_string(), .port = port}) != list.end();
}

Result<pool::Destination> permitted(const std::vector<pool::Destination>& list, std::string_view target) {
  pool::Destination wanted = TRY(pool::destinationFrom(target));
  if (std::ranges::find(list, wanted) != list.end()) return wanted;
  return Error(Remedy::fixInput, fmt::format("{} is not among the template's destinations", textOf(wanted)));
}

}  // namespace qm
