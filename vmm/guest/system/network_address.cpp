#include "vmm/guest/system/network_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>

namespace qm::guest {

namespace {

constexpr std::size_t kMacTextBytes = 17;  // six pairs of digits, five colons

Error noAddress(const char* what, const std::string& text) {
  return {Remedy::fixInput, "'" + text + "' is no " + what};
}

}  // namespace

Result<MacAddress> parseMac(const std::string& text) {
  if (text.size() != kMacTextBytes) return noAddress("MAC address", text);
  MacAddress mac{};
  const char* at = text.data();
  for (std::uint8_t& byte : mac) {
    const auto [end, failure] = std::from_chars(at, at + 2, byte, 16);
    if (failure != std::errc() || end != at + 2) return noAddress("MAC address", text);
    const bool isLast = &byte == &mac.back();
    if (!isLast && *end != ':') return noAddress("MAC address", text);
    at = end + 1;
  }
  constexpr std::uint8_t kMulticast = 1;
  if ((mac.front() & kMulticast) != 0) return noAddress("MAC address of one station", text);
  return mac;
}

Result<std::uint32_t> parseIpv4(const std::string& text) {
  in_addr address{};
  if (::inet_pton(AF_INET, text.c_str(), &address) != 1) return noAddress("IPv4 address", text);
  return address.s_addr;
}

Result<Ipv4Network> parseNetwork(const std::string& text) {
  constexpr unsigned kAddressBits = 32;
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) return noAddress("IPv4 address with its prefix", text);
  unsigned prefix = 0;
  const char* last = text.data() + text.size();
  const auto [end, failure] = std::from_chars(text.data() + slash + 1, last, prefix);
  if (failure != std::errc() || end != last || prefix > kAddressBits)
    return noAddress("IPv4 address with its prefix", text);
  const std::uint32_t mask = prefix == 0 ? 0 : ~std::uint32_t{0} << (kAddressBits - prefix);
  return Ipv4Network{.address = TRY(parseIpv4(text.substr(0, slash))), .mask = htonl(mask)};
}

}  // namespace qm::guest
