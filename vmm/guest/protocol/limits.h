// Ranges of the messages (agent.capnp), for whoever makes or reads one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace qm::agent {

inline constexpr std::uint16_t kProtocol = 1;

inline constexpr std::size_t kMaxMessageBytes = std::size_t{16} << 20;  // segment table included
inline constexpr std::uint32_t kMaxSegments = 64;

inline constexpr std::size_t kMinEntropyBytes = 32;
inline constexpr std::size_t kMaxEntropyBytes = 4096;
inline constexpr std::size_t kMaxHostnameBytes = 63;
inline constexpr std::size_t kMachineIdDigits = 32;
inline constexpr std::size_t kMaxAddressTextBytes = 64;
inline constexpr std::size_t kMaxNameBytes = 255;
inline constexpr std::size_t kMaxPathBytes = 4095;
inline constexpr std::size_t kMaxHooks = 64;
inline constexpr std::size_t kMaxWords = 4096;  // of a command, or variables of an environment
inline constexpr std::size_t kMaxRefusalBytes = 4096;
// Two streams and the envelope fit in one message.
inline constexpr std::uint64_t kMaxOutputBytes = std::uint64_t{7} << 20;

}  // namespace qm::agent
