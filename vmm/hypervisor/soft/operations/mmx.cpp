#include "vmm/hypervisor/soft/operations/mmx.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "vmm/hypervisor/soft/operations/mmx_operand.h"

namespace qm::soft {

namespace {

// ---- the host's own instructions, each by its opcode: mm0 and mm1 are its operands

using HostMmx = std::uint64_t (*)(std::uint64_t, std::uint64_t);

template <unsigned opcode>
std::uint64_t host(std::uint64_t a, std::uint64_t b) {
  asm("movq %[a], %%mm0\n\t"
      "movq %[b], %%mm1\n\t"
      ".byte 0x0f, %c[opcode], 0xc1\n\t"
      "movq %%mm0, %[a]\n\t"
      "emms"
      : [a] "+r"(a)
      : [b] "r"(b), [opcode] "i"(opcode)
      : "mm0", "mm1");
  return a;
}

// Of the three-byte opcodes 0f 38.
template <unsigned opcode>
std::uint64_t host38(std::uint64_t a, std::uint64_t b) {
  asm("movq %[a], %%mm0\n\t"
      "movq %[b], %%mm1\n\t"
      ".byte 0x0f, 0x38, %c[opcode], 0xc1\n\t"
      "movq %%mm0, %[a]\n\t"
      "emms"
      : [a] "+r"(a)
      : [b] "r"(b), [opcode] "i"(opcode)
      : "mm0", "mm1");
  return a;
}

struct Packed {
  ZydisMnemonic mnemonic;
  HostMmx apply;
};

// Opcodes of SDM 2's pages. Shifts are in their form with a count in a register.
constexpr std::array kPacked{
    Packed{ZYDIS_MNEMONIC_PUNPCKLBW, &host<0x60>},  Packed{ZYDIS_MNEMONIC_PUNPCKLWD, &host<0x61>},
    Packed{ZYDIS_MNEMONIC_PUNPCKLDQ, &host<0x62>},  Packed{ZYDIS_MNEMONIC_PACKSSWB, &host<0x63>},
    Packed{ZYDIS_MNEMONIC_PCMPGTB, &host<0x64>},    Packed{ZYDIS_MNEMONIC_PCMPGTW, &host<0x65>},
    Packed{ZYDIS_MNEMONIC_PCMPGTD, &host<0x66>},    Packed{ZYDIS_MNEMONIC_PACKUSWB, &host<0x67>},
    Packed{ZYDIS_MNEMONIC_PUNPCKHBW, &host<0x68>},  Packed{ZYDIS_MNEMONIC_PUNPCKHWD, &host<0x69>},
    Packed{ZYDIS_MNEMONIC_PUNPCKHDQ, &host<0x6a>},  Packed{ZYDIS_MNEMONIC_PACKSSDW, &host<0x6b>},
    Packed{ZYDIS_MNEMONIC_PCMPEQB, &host<0x74>},    Packed{ZYDIS_MNEMONIC_PCMPEQW, &host<0x75>},
    Packed{ZYDIS_MNEMONIC_PCMPEQD, &host<0x76>},    Packed{ZYDIS_MNEMONIC_PSRLW, &host<0xd1>},
    Packed{ZYDIS_MNEMONIC_PSRLD, &host<0xd2>},      Packed{ZYDIS_MNEMONIC_PSRLQ, &host<0xd3>},
    Packed{ZYDIS_MNEMONIC_PADDQ, &host<0xd4>},      Packed{ZYDIS_MNEMONIC_PMULLW, &host<0xd5>},
    Packed{ZYDIS_MNEMONIC_PSUBUSB, &host<0xd8>},    Packed{ZYDIS_MNEMONIC_PSUBUSW, &host<0xd9>},
    Packed{ZYDIS_MNEMONIC_PMINUB, &host<0xda>},     Packed{ZYDIS_MNEMONIC_PAND, &host<0xdb>},
    Packed{ZYDIS_MNEMONIC_PADDUSB, &host<0xdc>},    Packed{ZYDIS_MNEMONIC_PADDUSW, &host<0xdd>},
    Packed{ZYDIS_MNEMONIC_PMAXUB, &host<0xde>},     Packed{ZYDIS_MNEMONIC_PANDN, &host<0xdf>},
    Packed{ZYDIS_MNEMONIC_PAVGB, &host<0xe0>},      Packed{ZYDIS_MNEMONIC_PSRAW, &host<0xe1>},
    Packed{ZYDIS_MNEMONIC_PSRAD, &host<0xe2>},      Packed{ZYDIS_MNEMONIC_PAVGW, &host<0xe3>},
    Packed{ZYDIS_MNEMONIC_PMULHUW, &host<0xe4>},    Packed{ZYDIS_MNEMONIC_PMULHW, &host<0xe5>},
    Packed{ZYDIS_MNEMONIC_PSUBSB, &host<0xe8>},     Packed{ZYDIS_MNEMONIC_PSUBSW, &host<0xe9>},
    Packed{ZYDIS_MNEMONIC_PMINSW, &host<0xea>},     Packed{ZYDIS_MNEMONIC_POR, &host<0xeb>},
    Packed{ZYDIS_MNEMONIC_PADDSB, &host<0xec>},     Packed{ZYDIS_MNEMONIC_PADDSW, &host<0xed>},
    Packed{ZYDIS_MNEMONIC_PMAXSW, &host<0xee>},     Packed{ZYDIS_MNEMONIC_PXOR, &host<0xef>},
    Packed{ZYDIS_MNEMONIC_PSLLW, &host<0xf1>},      Packed{ZYDIS_MNEMONIC_PSLLD, &host<0xf2>},
    Packed{ZYDIS_MNEMONIC_PSLLQ, &host<0xf3>},      Packed{ZYDIS_MNEMONIC_PMULUDQ, &host<0xf4>},
    Packed{ZYDIS_MNEMONIC_PMADDWD, &host<0xf5>},    Packed{ZYDIS_MNEMONIC_PSADBW, &host<0xf6>},
    Packed{ZYDIS_MNEMONIC_PSUBB, &host<0xf8>},      Packed{ZYDIS_MNEMONIC_PSUBW, &host<0xf9>},
    Packed{ZYDIS_MNEMONIC_PSUBD, &host<0xfa>},      Packed{ZYDIS_MNEMONIC_PSUBQ, &host<0xfb>},
    Packed{ZYDIS_MNEMONIC_PADDB, &host<0xfc>},      Packed{ZYDIS_MNEMONIC_PADDW, &host<0xfd>},
    Packed{ZYDIS_MNEMONIC_PADDD, &host<0xfe>},      Packed{ZYDIS_MNEMONIC_PSHUFB, &host38<0x00>},
    Packed{ZYDIS_MNEMONIC_PHADDW, &host38<0x01>},   Packed{ZYDIS_MNEMONIC_PHADDD, &host38<0x02>},
    Packed{ZYDIS_MNEMONIC_PHADDSW, &host38<0x03>},  Packed{ZYDIS_MNEMONIC_PMADDUBSW, &host38<0x04>},
    Packed{ZYDIS_MNEMONIC_PHSUBW, &host38<0x05>},   Packed{ZYDIS_MNEMONIC_PHSUBD, &host38<0x06>},
    Packed{ZYDIS_MNEMONIC_PHSUBSW, &host38<0x07>},  Packed{ZYDIS_MNEMONIC_PSIGNB, &host38<0x08>},
    Packed{ZYDIS_MNEMONIC_PSIGNW, &host38<0x09>},   Packed{ZYDIS_MNEMONIC_PSIGND, &host38<0x0a>},
    Packed{ZYDIS_MNEMONIC_PMULHRSW, &host38<0x0b>}, Packed{ZYDIS_MNEMONIC_PABSB, &host38<0x1c>},
    Packed{ZYDIS_MNEMONIC_PABSW, &host38<0x1d>},    Packed{ZYDIS_MNEMONIC_PABSD, &host38<0x1e>},
};

// `detail` is the place in the table.
template <class Source>
bool packed(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t source = 0;
  if (raisesPendingX87(cpu) || !Source::read(cpu, op, source)) return false;
  setMm(cpu, op.to, kPacked[op.detail].apply(mm(cpu, op.to), source));
  enterMmx(cpu);
  return true;
}

// PUNPCKLBW and the like read only the 4 bytes of memory that they need.
bool lowerPacked(const Instruction& instruction, Emitter& emitter) {
  const Operand& from = instruction.operand(1);
  Operation& op = isRegister(from)    ? emitter.add(&step<&packed<FromMm>>)
                  : isImmediate(from) ? emitter.add(&step<&packed<FromImmediate>>)
                  : from.size == 32   ? emitter.addMemory(anyForm<&packed<FromMemory<std::uint32_t>>>(), from)
                                      : emitter.addMemory(anyForm<&packed<FromMemory<std::uint64_t>>>(), from);
  op.to = registerNumber(instruction.operand(0).reg.value);
  if (isRegister(from)) op.from = registerNumber(from.reg.value);
  if (isImmediate(from)) op.third = static_cast<std::uint8_t>(from.imm.value.u);
  const auto* const place = std::ranges::find(kPacked, instruction.mnemonic(), &Packed::mnemonic);
  op.detail = static_cast<std::uint8_t>(place - kPacked.begin());
  return true;
}

// ---- with an immediate byte that selects

constexpr auto kShuffleWords = [](std::uint64_t /*a*/, std::uint64_t b, unsigned selection) {
  std::uint64_t result = 0;
  for (unsigned word = 0; word < 4; ++word) {
    const unsigned chosen = selection >> (2 * word) & 3U;
    result |= (b >> (16 * chosen) & 0xffffU) << (16 * word);
  }
  return result;
};

// Eight bytes of `a` above `b` and below zeros, from the byte `begin` on.
constexpr auto kAlignRight = [](std::uint64_t a, std::uint64_t b, unsigned begin) {
  std::array<std::byte, 24> joined{};
  std::memcpy(joined.data(), &b, sizeof b);
  std::memcpy(joined.data() + sizeof b, &a, sizeof a);
  std::uint64_t result = 0;
  if (begin < 16) std::memcpy(&result, joined.data() + begin, sizeof result);
  return result;
};

template <auto apply, class Source>
bool selected(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t source = 0;
  if (raisesPendingX87(cpu) || !Source::read(cpu, op, source)) return false;
  setMm(cpu, op.to, apply(mm(cpu, op.to), source, op.third));
  enterMmx(cpu);
  return true;
}

template <auto apply>
bool lowerSelected(const Instruction& instruction, Emitter& emitter) {
  const Operand& from = instruction.operand(1);
  Operation& op = isMemory(from) ? emitter.addMemory(anyForm<&selected<apply, FromMemory<std::uint64_t>>>(), from)
                                 : emitter.add(&step<&selected<apply, FromMm>>);
  op.to = registerNumber(instruction.operand(0).reg.value);
  if (isRegister(from)) op.from = registerNumber(from.reg.value);
  op.third = static_cast<std::uint8_t>(instruction.operand(2).imm.value.u);
  return true;
}

constexpr auto kLowerings = [] {
  std::array<Lowering, kPacked.size() + 2> lowerings{};
  auto* place = std::ranges::transform(kPacked, lowerings.begin(), [](const Packed& packed) {
                  return Lowering{packed.mnemonic, &lowerPacked};
                }).out;
  *place++ = {ZYDIS_MNEMONIC_PSHUFW, &lowerSelected<kShuffleWords>};
  *place++ = {ZYDIS_MNEMONIC_PALIGNR, &lowerSelected<kAlignRight>};
  return lowerings;
}();

}  // namespace

std::span<const Lowering> mmxLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
