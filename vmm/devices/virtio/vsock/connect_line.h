// The line by which a client of the host asks for a port of the guest, and the answer; the words are Firecracker's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qm::vsock {

// Longest line that is read, newline included: "CONNECT 4294967295\n" and some room.
inline constexpr std::size_t kConnectLineBytes = 32;

// The port in "CONNECT <port>" (newline already gone; decimal), or nothing.
std::optional<std::uint32_t> parseConnectLine(std::string_view line);

// "OK <hostPort>\n".
std::string connectedLine(std::uint32_t hostPort);

}  // namespace qm::vsock
