#include "pool/network/destination.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "vmm/text/number.h"

namespace qm::pool {

namespace {

constexpr std::size_t kLongestHost = 253;  // RFC 1035, section 2.3.4, without the root's dot

// The address in its shortest form.
std::optional<std::string> addressFrom(int family, const std::string& text) {
  std::array<std::byte, sizeof(in6_addr)> bytes{};
  std::array<char, INET6_ADDRSTRLEN> shortest{};
  if (::inet_pton(family, text.c_str(), bytes.data()) != 1) return std::nullopt;
  if (::inet_ntop(family, bytes.data(), shortest.data(), shortest.size()) == nullptr) return std::nullopt;
  return std::string(shortest.data());
}

// Letters, digits, dashes and dots, and a last label that is no number: resolvers take "1.2" or "0x7f.1" for addresses.
std::optional<std::string> nameFrom(std::string_view text) {
  if (text.empty() || text.size() > kLongestHost || text.front() == '.' || text.back() == '.') return std::nullopt;
  std::string name(text);
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    if (!fits) return std::nullopt;
  }
  const char first = name[name.rfind('.') == std::string::npos ? 0 : name.rfind('.') + 1];
  if (first >= '0' && first <= '9') return std::nullopt;
  return name;
}

std::optional<std::string> hostFrom(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']')
    return addressFrom(AF_INET6, std::string(text.substr(1, text.size() - 2)));
  if (auto address = addressFrom(AF_INET, std::string(text))) return address;
  return nameFrom(text);
}

}  // namespace

Result<Destination> destinationFrom(std::string_view text) {
  const Error refused(Remedy::fixInput,
                      fmt::format("\"{}\" is no destination; one is example.org:443, 192.0.2.7:443 or "
                                  "[2001:db8::1]:443",
                                  text));
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return refused;
  const auto port = numberFrom<std::uint16_t>(text.substr(colon + 1));
  auto host = hostFrom(text.substr(0, colon));
  if (!port || *port == 0 || !host) return refused;
  return Destination{.host = *std::move(host), .port = *port};
}

std::string textOf(const Destination& destination) {
  const bool bracketed = destination.host.find(':') != std::string::npos;
  return bracketed ? fmt::format("[{}]:{}", destination.host, destination.port)
                   : fmt::format("{}:{}", destination.host, destination.port);
}

bool isAddress(const Destination& destination) {
  return destination.host.find(':') != std::string::npos || addressFrom(AF_INET, destination.host).has_value();
}

}  // namespace qm::pool
