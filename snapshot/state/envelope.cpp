#include "snapshot/state/envelope.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include <fmt/format.h>

#include "vmm/result/check.h"

namespace qm::snapshot {

namespace {

constexpr std::array<char, 8> kMagic = {'Q', 'M', 'S', 'T', 'A', 'T', 'E', '\n'};

// Little-endian, as the message that follows and the machine that it describes are.
struct Header {
  std::array<char, 8> magic = kMagic;
  std::uint32_t formatVersion = kFormatVersion;
  std::uint32_t reserved = 0;
  std::uint64_t payloadBytes = 0;
  std::array<unsigned char, 16>
      checksum{};  // XXH3-128, most significant byte first: of the header before it and the payload
};
static_assert(sizeof(Header) == kEnvelopeBytes && std::has_unique_object_representations_v<Header>);

std::array<unsigned char, 16> checksumOf(const Header& header, std::span<const std::byte> payload) {
  const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(XXH3_createState(), &XXH3_freeState);
  CHECK(state != nullptr && XXH3_128bits_reset(state.get()) == XXH_OK);
  CHECK(XXH3_128bits_update(state.get(), &header, offsetof(Header, checksum)) == XXH_OK);
  CHECK(XXH3_128bits_update(state.get(), payload.data(), payload.size()) == XXH_OK);
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state.get()));
  return std::to_array(canonical.digest);
}

Error refused(std::string sentence) {
  return {Remedy::fixInput, std::move(sentence)};
}

}  // namespace

std::vector<std::byte> seal(std::span<const std::byte> payload) {
  Header header{.payloadBytes = payload.size()};
  header.checksum = checksumOf(header, payload);
  std::vector<std::byte> bytes;
  bytes.reserve(sizeof header + payload.size());
  bytes.resize(sizeof header);
  std::memcpy(bytes.data(), &header, sizeof header);
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return bytes;
}

Result<std::span<const std::byte>> unseal(std::span<const std::byte> bytes) {
  // An empty file and a few bytes of the magic are a cut snapshot; other short files are not ours.
  Header header;
  std::ranges::copy(bytes.first(std::min(bytes.size(), sizeof header)),
                    std::as_writable_bytes(std::span(&header, 1)).begin());
  if (header.magic != kMagic) {
    return refused("this is not a snapshot's state: name the snapshot.capnp of a snapshot");
  }
  if (bytes.size() < sizeof header) {
    return refused(fmt::format("the snapshot's state ends after {} bytes, within its header: make the snapshot anew",
                               bytes.size()));
  }
  if (header.formatVersion != kFormatVersion || header.reserved != 0) {
    return refused(fmt::format(
        "the snapshot's state has format version {} and this program reads {}: make the snapshot anew, or use "
        "the program that made it",
        header.formatVersion, kFormatVersion));
  }
  const auto payload = bytes.subspan(sizeof header);
  if (payload.size() != header.payloadBytes) {
    return refused(fmt::format(
        "the snapshot's state has {} bytes after its header where {} were written: copy it again or make the "
        "snapshot anew",
        payload.size(), header.payloadBytes));
  }
  if (header.checksum != checksumOf(header, payload)) {
    return refused(
        "the snapshot's state does not have its checksum, so it has changed since it was written: copy it again or "
        "make "
        "the snapshot anew");
  }
  return payload;
}

}  // namespace qm::snapshot
