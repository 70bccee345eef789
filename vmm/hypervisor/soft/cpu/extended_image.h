// x87, SSE and AVX state as memory has it: the FXSAVE layout (SDM 1, table 10-2), behind it the header of the XSAVE
// area (13.4) and the upper halves of the YMM registers (13.5.3), which instructions and snapshots share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmm/hypervisor/soft/cpu/cpu.h"

namespace qm::soft {

inline constexpr std::size_t kLegacyImageBytes = 512, kSmallestAreaBytes = 576, kImageBytes = 832, kMxcsrStart = 24,
                             kStStart = 32, kStBytes = 128, kXmmStart = 160, kXmmBytes = 256,
                             kXmmEnd = kXmmStart + kXmmBytes, kHeader = 512, kUpperStart = 576, kUpperBytes = 256;
inline constexpr std::uint32_t kMxcsrBits = 0xffff;  // those that exist
inline constexpr std::uint64_t kX87Component = 1, kSseComponent = 2, kAvxComponent = 4;

using ExtendedImage = std::array<std::byte, kImageBytes>;

// Without REX.W instruction pointers have 32 bits and a selector, which is 0 (SDM 1, 8.1.8: deprecated).
enum class PointerWidth : std::uint8_t { bits32, bits64 };

void putX87(ExtendedImage& image, const Cpu& cpu, PointerWidth width);
void putMxcsr(ExtendedImage& image, const Cpu& cpu);
void putXmm(ExtendedImage& image, const Cpu& cpu);
void putUpperHalves(ExtendedImage& image, const Cpu& cpu);
void getX87(const ExtendedImage& image, Cpu& cpu, PointerWidth width);
void getXmm(const ExtendedImage& image, Cpu& cpu);
void getUpperHalves(const ExtendedImage& image, Cpu& cpu);
// Their initial states: all zeros.
void clearXmm(Cpu& cpu);
void clearUpperHalves(Cpu& cpu);
std::uint32_t mxcsrOf(const ExtendedImage& image);
std::uint64_t headerWord(const ExtendedImage& image, std::size_t word);
void setHeaderWord(ExtendedImage& image, std::size_t word, std::uint64_t value);

// Whether XCR0 can have this value (SDM 1, 13.3).
constexpr bool isXcr0(std::uint64_t value, std::uint64_t offered) {
  const bool lacksSse = (value & kAvxComponent) != 0 && (value & kSseComponent) == 0;
  return (value & kX87Component) != 0 && (value & ~offered) == 0 && !lacksSse;
}

// What an area with these components takes, in bytes.
constexpr std::size_t areaBytes(std::uint64_t components) {
  return (components & kAvxComponent) != 0 ? kImageBytes : kSmallestAreaBytes;
}

// Components that are not in their initial state (SDM 1, 13.6).
std::uint64_t componentsInUse(const Cpu& cpu);

}  // namespace qm::soft
