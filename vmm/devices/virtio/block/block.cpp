#include "vmm/devices/virtio/block/block.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>

namespace qm::virtio {

namespace {

constexpr std::uint64_t kFeatureReadOnly = 1ULL << 5U, kFeatureFlush = 1ULL << 9U;
enum RequestType : std::uint32_t { kIn = 0, kOut = 1, kFlush = 4, kGetId = 8 };
enum RequestStatus : std::uint8_t { kOk = 0, kIoError = 1, kUnsupported = 2 };
constexpr std::size_t kIdBytes = 20;

struct RequestHeader {
  std::uint32_t type = 0;
  std::uint32_t reserved = 0;
  std::uint64_t sector = 0;
};

}  // namespace

Result<std::unique_ptr<Block>> Block::create(FileDescriptor file, bool readOnly, const std::string& id) {
  const std::uint64_t sectors = TRY(fileBytes(file)) / kSectorBytes;
  BlockState state{.capacitySectors = sectors, .readOnly = readOnly, .id = id.substr(0, kIdBytes)};
  return std::unique_ptr<Block>(new Block(std::move(file), std::move(state)));
}

Result<std::unique_ptr<Block>> Block::restore(FileDescriptor file, const BlockState& state) {
  const std::uint64_t sectors = TRY(fileBytes(file)) / kSectorBytes;
  if (sectors < state.capacitySectors) {
    return Error(Remedy::fixInput, fmt::format("the disk's file has {} sectors, and the guest knows it with {}",
                                               sectors, state.capacitySectors));
  }
  return std::unique_ptr<Block>(new Block(std::move(file), state));
}

std::uint64_t Block::features() const {
  return kFeatureFlush | (state_.readOnly ? kFeatureReadOnly : 0);
}

void Block::readConfig(std::uint64_t offset, std::span<std::byte> into) const {
  // 5.2.4: capacity comes first; nothing that we offer needs the rest.
  std::array<std::byte, 64> config{};
  std::memcpy(config.data(), &state_.capacitySectors, sizeof state_.capacitySectors);
  for (std::size_t i = 0; i < into.size(); ++i)
    into[i] = offset + i < config.size() ? config[offset + i] : std::byte{0};
}

Status Block::activate(DeviceHost& host, std::uint64_t /*features*/) {
  host_ = &host;
  return {};
}

Result<bool> Block::process(std::uint16_t queueIndex) {
  Queue* queue = TRY(host_->queue(queueIndex));
  return drain(*queue, [this](const Chain& chain) { return serve(chain); });
}

// Header readable, data either way, one status byte that is the last writable one (5.2.6).
Result<std::uint32_t> Block::serve(const Chain& chain) {
  GuestMemory& memory = host_->memory();
  RequestHeader header;
  const auto headerBytes = std::as_writable_bytes(std::span(&header, 1));
  if (TRY(copyFrom(memory, chain.readable, 0, headerBytes)) != sizeof header)
    return Error(Remedy::fixInput, "a disk request is shorter than its header");
  if (chain.writableBytes() == 0) return Error(Remedy::fixInput, "a disk request has no room for its status");
  std::uint32_t written = 0;
  const auto status = static_cast<std::byte>(TRY(perform(header.type, header.sector, chain, written)));
  TRY(copyTo(memory, chain.writable, chain.writableBytes() - 1, std::span(&status, 1)));
  return written + 1;
}

Result<std::uint8_t> Block::perform(std::uint32_t type, std::uint64_t sector, const Chain& chain,
                                    std::uint32_t& written) {
  const std::uint64_t room = chain.writableBytes() - 1;
  switch (type) {
    case kIn: {
      const std::uint8_t status = TRY(transfer(sector, chain.writable, 0, room, true));
      if (status == kOk) written = static_cast<std::uint32_t>(room);
      return status;
    }
    case kOut:
      if (state_.readOnly) return kIoError;
      return transfer(sector, chain.readable, sizeof(RequestHeader), chain.readableBytes() - sizeof(RequestHeader),
                      false);
    case kFlush:
      return state_.readOnly || synchronise(file_).has_value() ? kOk : kIoError;
    case kGetId: {
      std::array<std::byte, kIdBytes> id{};
      std::memcpy(id.data(), state_.id.data(), std::min(state_.id.size(), id.size()));
      const std::size_t bytes = std::min<std::uint64_t>(id.size(), room);
      written = static_cast<std::uint32_t>(TRY(copyTo(host_->memory(), chain.writable, 0, std::span(id).first(bytes))));
      return kOk;
    }
    default:
      return kUnsupported;
  }
}

// Straight between the file and guest memory. Beyond the disk's end, or no whole sectors: the request fails, not the
// device.
Result<std::uint8_t> Block::transfer(std::uint64_t sector, std::span<const Buffer> buffers, std::uint64_t skip,
                                     std::uint64_t bytes, bool toGuest) {
  const std::uint64_t sectors = bytes / kSectorBytes;
  if (bytes % kSectorBytes != 0 || sector > state_.capacitySectors || sectors > state_.capacitySectors - sector)
    return kIoError;
  GuestMemory& memory = host_->memory();
  std::uint64_t offset = sector * kSectorBytes;
  for (const Buffer& buffer : buffers) {
    if (skip >= buffer.bytes) {
      skip -= buffer.bytes;
      continue;
    }
    const std::uint64_t part = std::min<std::uint64_t>(buffer.bytes - skip, bytes);
    const GuestAddress at = buffer.address + skip;
    const std::span<std::byte> host = TRY(memory.hostRange(at, part));
    const Status moved = toGuest ? readAt(file_, offset, host) : writeAt(file_, offset, host);
    if (toGuest) memory.markDirty(at, part);
    if (!moved.has_value()) return kIoError;
    offset += part;
    bytes -= part;
    skip = 0;
  }
  return kOk;
}

}  // namespace qm::virtio
