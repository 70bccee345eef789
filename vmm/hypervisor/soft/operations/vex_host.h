// The host's own instruction for one with a VEX prefix: the same encoding with other registers. Registers of the guest
// are in memory anyway, so one piece of assembly serves all: operands come to ymm0 (the destination), ymm1 (the first
// source), ymm2 (the last) and ymm3 (a fourth), what is general to rax, and the result goes back whole; a VEX.128
// instruction has cleared its upper half then. The compiler, which knows nothing of AVX, finds upper halves clean.
//
// An instruction with an immediate is an instruction of the host for each value: they stand in a row, each with a jump
// back, and the one is jumped to.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/soft/operations/vex_encoding.h"

namespace qm::soft {

// Where the result is.
enum class VexResult : std::uint8_t { vector, general, flags };
// What the last source is, and how many bytes of it are looked at.
enum class VexSource : std::uint8_t { bytes16, bytes32, general };

struct HostVex {
  std::uint8_t mapByte, lengthByte, opcode, modRm;
};

constexpr HostVex hostVex(const VexEncoding& encoding, VexLength length, VexSource source) {
  const unsigned first = encoding.readsFirst() ? 14U : 15U;  // VEX.vvvv is inverted: ymm1, or none and ymm0
  const unsigned last = source == VexSource::general ? 0 : 2;
  return {.mapByte = static_cast<std::uint8_t>(0xe0U | encoding.map),
          .lengthByte = static_cast<std::uint8_t>((encoding.w ? 0x80U : 0U) | first << 3U |
                                                  (length == VexLength::bits256 ? 4U : 0U) | encoding.prefix),
          .opcode = encoding.opcode,
          .modRm = static_cast<std::uint8_t>(encoding.writesRm ? 0xc0U | last << 3U
                                                               : 0xc0U | unsigned{encoding.extension} << 3U | last)};
}

inline constexpr std::size_t kImmediateStep = 8;  // bytes: VEX, opcode, ModRM and immediate are six, the jump two

// The instructions of all immediates. Entered by a jump, never called; rdx is where to go on.
template <HostVex host, unsigned immediates>
[[gnu::naked, clang::no_sanitize("coverage")]] void byImmediate() {
  asm(".set .Limmediate, 0\n\t"
      ".rept %c[count]\n\t"
      ".byte 0xc4, %c[map], %c[l], %c[opcode], %c[modrm], .Limmediate\n\t"
      "jmp *%%rdx\n\t"
      ".set .Limmediate, .Limmediate + 1\n\t"
      ".endr" ::[count] "i"(immediates),
      [map] "i"(host.mapByte), [l] "i"(host.lengthByte), [opcode] "i"(host.opcode), [modrm] "i"(host.modRm));
}

struct VexOperands {
  WideVector& destination;
  const WideVector& first;
  const void* last;  // 16 or 32 bytes that can be read, aligned or not
  const WideVector& fourth;
  std::uint8_t immediate = 0;
};

// `general` is the last source if it is a general register; the answer is the result if it is one, or the flags. The
// assembly is volatile, for floating point reads and writes MXCSR.
template <VexEncoding encoding, VexLength length, VexSource source, VexResult result = VexResult::vector>
inline std::uint64_t runOnHost(const VexOperands& operands, std::uint64_t general = 0) {
  constexpr HostVex kHost = hostVex(encoding, length, source);
  constexpr bool kIsWide = length == VexLength::bits256;
  constexpr std::size_t kLastBytes = source == VexSource::bytes32 ? 32 : 16;
  const auto* const last = static_cast<const std::array<std::byte, kLastBytes>*>(operands.last);
  std::uintptr_t entry = 0;
  if constexpr (encoding.immediateBits != 0) {
    constexpr unsigned kImmediates = 1U << encoding.immediateBits;
    entry = reinterpret_cast<std::uintptr_t>(&byImmediate<kHost, kImmediates>) +
            operands.immediate % kImmediates * kImmediateStep;
  }
  asm volatile(
      ".if %c[wide]\n\t"
      ".if %c[readsFirst]\n\tvmovdqu %[first], %%ymm1\n\t.endif\n\t"
      ".if %c[readsTo]\n\tvmovdqu %[to], %%ymm0\n\t.endif\n\t"
      ".if %c[hasFourth]\n\tvmovdqu %[fourth], %%ymm3\n\t.endif\n\t"
      ".else\n\t"
      ".if %c[readsFirst]\n\tvmovdqu %[first], %%xmm1\n\t.endif\n\t"
      ".if %c[readsTo]\n\tvmovdqu %[to], %%xmm0\n\t.endif\n\t"
      ".if %c[hasFourth]\n\tvmovdqu %[fourth], %%xmm3\n\t.endif\n\t"
      ".endif\n\t"
      ".if %c[lastBytes] == 32\n\tvmovdqu %[last], %%ymm2\n\t.endif\n\t"
      ".if %c[lastBytes] == 16\n\tvmovdqu %[last], %%xmm2\n\t.endif\n\t"
      ".if %c[hasImmediate]\n\t"
      "lea 7f(%%rip), %%rdx\n\t"
      "jmp *%[entry]\n"
      "7:\n\t"
      ".else\n\t"
      ".byte 0xc4, %c[map], %c[l], %c[opcode], %c[modrm]\n\t"
      ".if %c[hasFourth]\n\t.byte 0x30\n\t.endif\n\t"
      ".endif\n\t"
      ".if %c[isVector]\n\tvmovdqu %%ymm0, %[to]\n\t.endif\n\t"
      ".if %c[wide] || %c[lastBytes] == 32\n\tvzeroupper\n\t.endif\n\t"
      ".if %c[isFlags]\n\tlahf\n\tseto %%al\n\t.endif"
      : [to] "+m"(operands.destination), "+a"(general)
      : [first] "m"(operands.first), [last] "m"(*last), [fourth] "m"(operands.fourth), [entry] "r"(entry),
        [wide] "i"(kIsWide ? 1 : 0), [readsFirst] "i"(encoding.readsFirst() ? 1 : 0),
        [readsTo] "i"(encoding.readsDestination() || result == VexResult::flags ? 1 : 0),
        [hasFourth] "i"(encoding.hasFourth ? 1 : 0), [hasImmediate] "i"(encoding.immediateBits != 0 ? 1 : 0),
        [lastBytes] "i"(source == VexSource::general ? 0 : kLastBytes), [map] "i"(kHost.mapByte),
        [l] "i"(kHost.lengthByte), [opcode] "i"(kHost.opcode), [modrm] "i"(kHost.modRm),
        [isVector] "i"(result == VexResult::vector ? 1 : 0), [isFlags] "i"(result == VexResult::flags ? 1 : 0)
      : "xmm0", "xmm1", "xmm2", "xmm3", "rdx", "cc");
  return general;
}

}  // namespace qm::soft
