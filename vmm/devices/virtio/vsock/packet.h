// A vsock packet's header as it lies in a buffer (virtio 1.2, 5.10.6). Both directions; every field that came from the
// guest is the guest's word.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace qm::vsock {

inline constexpr std::uint64_t kHostCid = 2;                             // 5.10.4
inline constexpr std::uint16_t kTypeStream = 1;                          // 5.10.6.5
inline constexpr std::size_t kHeaderBytes = 44;                          // packed, little-endian
inline constexpr std::uint32_t kShutdownReceive = 1, kShutdownSend = 2;  // SHUTDOWN's flags: what its sender gives up

// 5.10.6.
enum class Operation : std::uint16_t {
  request = 1,
  response = 2,
  reset = 3,
  shutdown = 4,
  data = 5,
  creditUpdate = 6,
  creditRequest = 7,
};

// Field by field as on the wire, so that a copy of the first 44 bytes translates it.
struct Header {
  std::uint64_t sourceCid = 0, destinationCid = 0;
  std::uint32_t sourcePort = 0, destinationPort = 0;
  std::uint32_t length = 0;  // of the payload, in bytes
  std::uint16_t type = kTypeStream;
  std::uint16_t operation = 0;
  std::uint32_t flags = 0;
  std::uint32_t bufferBytes = 0;     // buf_alloc: all that the sender's buffer for this connection holds
  std::uint32_t forwardedBytes = 0;  // fwd_cnt: what left that buffer since the connection began, modulo 2^32

  bool operator==(const Header&) const = default;
};

Header decodeHeader(std::span<const std::byte, kHeaderBytes> bytes);
std::array<std::byte, kHeaderBytes> encodeHeader(const Header& header);

// Nothing for a number that the standard does not name.
std::optional<Operation> operationOf(const Header& header);

}  // namespace qm::vsock
