// The addresses inside a network slot. They are the same in each, and a guest keeps them from its template: nothing
// of them changes when it is restored, neither its own nor what it knows of its neighbour. No two slots are connected,
// so no two guests with one address ever meet.
#pragma once

#include <array>
#include <cstdint>

namespace qm::network {

using Mac = std::array<std::uint8_t, 6>;

// Locally administered, unicast (IEEE 802, 8.2).
inline constexpr Mac kGuestMac{0x02, 0x51, 0x4d, 0x00, 0x00, 0x02};
inline constexpr Mac kGatewayMac{0x02, 0x51, 0x4d, 0x00, 0x00, 0x01};

// In the host's byte order.
inline constexpr std::uint32_t kGatewayAddress = 0x0a00'0001;  // 10.0.0.1
inline constexpr std::uint32_t kGuestAddress = 0x0a00'0002;    // 10.0.0.2
inline constexpr std::uint8_t kPrefixBits = 30;

// The same as the guest's agent reads them.
inline constexpr const char* kGatewayText = "10.0.0.1";
inline constexpr const char* kGuestNetworkText = "10.0.0.2/30";
// As its VMM reads it.
inline constexpr const char* kGuestMacText = "02:51:4d:00:00:02";

// The device's id in a machine and in its snapshot.
inline constexpr const char* kInterfaceId = "eth0";

// Where, at the gateway, a guest finds the proxy that lets it out, if its template has one.
inline constexpr std::uint16_t kProxyPort = 3128;

}  // namespace qm::network
