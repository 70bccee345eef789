#include "vmm/devices/virtio/vsock/connect_line.h"

#include "vmm/text/number.h"

namespace qm::vsock {

std::optional<std::uint32_t> parseConnectLine(std::string_view line) {
  constexpr std::string_view kWord = "CONNECT ";
  if (!line.starts_with(kWord)) return std::nullopt;
  line.remove_prefix(kWord.size());
  return numberFrom<std::uint32_t>(line);
}

std::string connectedLine(std::uint32_t hostPort) {
  return "OK " + std::to_string(hostPort) + "\n";
}

}  // namespace qm::vsock
