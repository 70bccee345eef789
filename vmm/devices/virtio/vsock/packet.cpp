#include "vmm/devices/virtio/vsock/packet.h"

#include <bit>
#include <cstring>

namespace qm::vsock {

static_assert(std::endian::native == std::endian::little);
static_assert(offsetof(Header, length) == 24 && offsetof(Header, operation) == 30 &&
              offsetof(Header, forwardedBytes) + sizeof(Header::forwardedBytes) == kHeaderBytes);

Header decodeHeader(std::span<const std::byte, kHeaderBytes> bytes) {
  Header header;
  std::memcpy(&header, bytes.data(), kHeaderBytes);
  return header;
}

std::array<std::byte, kHeaderBytes> encodeHeader(const Header& header) {
  std::array<std::byte, kHeaderBytes> bytes;
  std::memcpy(bytes.data(), &header, kHeaderBytes);
  return bytes;
}

std::optional<Operation> operationOf(const Header& header) {
  switch (const auto operation = static_cast<Operation>(header.operation)) {
    case Operation::request:
    case Operation::response:
    case Operation::reset:
    case Operation::shutdown:
    case Operation::data:
    case Operation::creditUpdate:
    case Operation::creditRequest:
      return operation;
  }
  return std::nullopt;
}

}  // namespace qm::vsock
