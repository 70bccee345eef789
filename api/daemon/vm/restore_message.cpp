#include "api/daemon/vm/restore_message.h"

#include <charconv>

#include "vmm/network/slot_address.h"
#include "vmm/result/check.h"

namespace qm {

RestoreMessage restoreMessage(const pool::RestorePlan& plan, std::string_view vsock) {
  CHECK(plan.files != nullptr);
  const pool::CloneFiles& files = *plan.files;
  RestoreMessage message;
  const auto give = [&message](const FileDescriptor& file) {
    message.files.push_back(file.get());
    return static_cast<std::uint8_t>(message.files.size() - 1);
  };
  message.load.state = give(files.state);
  message.load.memory = give(files.memory);
  message.load.memoryHoles = files.memoryHoles;
  for (const pool::OpenImage& image : files.images)
    message.load.disks.push_back({.id = image.id, .file = give(image.image)});
  message.load.vsockPath = vsock;
  message.load.observing = plan.observing == pool::Observing::yes ? Observing::yes : Observing::no;
  message.load.workingSet = files.workingSet;
  if (files.code.isOpen()) message.load.code = give(files.code);
  return message;
}

void giveTap(RestoreMessage& message, const FileDescriptor& tap) {
  message.files.push_back(tap.get());
  message.load.taps.push_back(
      {.id = network::kInterfaceId, .file = static_cast<std::uint8_t>(message.files.size() - 1)});
}

Result<MemoryDigest> bytesOfDigest(std::string_view sha256) {
  MemoryDigest digest{};
  const Error wrong(Remedy::fixInput, "a SHA-256 has 64 hexadecimal digits");
  if (sha256.size() != 2 * digest.size()) return wrong;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const char* const pair = sha256.data() + 2 * i;
    std::uint8_t byte = 0;
    const auto [end, failed] = std::from_chars(pair, pair + 2, byte, 16);
    if (failed != std::errc() || end != pair + 2) return wrong;
    digest[i] = std::byte{byte};
  }
  return digest;
}

}  // namespace qm
