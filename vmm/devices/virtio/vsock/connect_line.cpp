#include "vmm/devices/virtio/vsock/connect_line.h"

#include <charconv>

namespace qm::vsock {

std::optional<std::uint32_t> parseConnectLine(std::string_view line) {
  constexpr std::string_view kWord = "CONNECT ";
  if (!line.starts_with(kWord)) return std::nullopt;
  line.remove_prefix(kWord.size());
  std::uint32_t port = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), port);
  if (error != std::errc() || end != line.data() + line.size()) return std::nullopt;
  return port;
}

std::string connectedLine(std::uint32_t hostPort) {
  return "OK " + std::to_string(hostPort) + "\n";
}

}  // namespace qm::vsock
