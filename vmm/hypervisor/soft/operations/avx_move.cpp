#include "vmm/hypervisor/soft/operations/avx_move.h"

#include "vmm/hypervisor/soft/operations/vex_operand.h"

namespace qm::soft {

namespace {

// ---- whole registers

enum class Alignment : std::uint8_t { any, natural };

// `from` is the register, `bytes` of it go to memory.
template <unsigned bytes, Alignment alignment>
struct StoreWhole {
  template <Form form>
  struct At {
    static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
      std::uint64_t address = 0;
      if (!effectiveAddress<form>(cpu, op, address)) return false;
      if (alignment == Alignment::natural && address % bytes != 0) return raise(cpu, Exception::generalProtection);
      const WideVector& value = cpu.ymm[op.from];
      if (char* at = writableBytes(cpu, address, bytes)) [[likely]] {
        __builtin_memcpy(at, &value, bytes);
        return true;
      }
      return writeLongWay(cpu, address, &value, bytes);
    }
  };
};

template <Alignment alignment>
bool lowerStore(const Instruction& instruction, Emitter& emitter) {
  static constexpr std::array<Handler, 3> kShort = byForm<StoreWhole<16, alignment>::template At>(),
                                          kLong = byForm<StoreWhole<32, alignment>::template At>();
  if (!isMemory(instruction.operand(0))) return false;
  const bool isLong = lengthOf(instruction, Reads::whole) == VexLength::bits256;
  emitter.addMemory(isLong ? kLong : kShort, instruction.operand(0)).from =
      registerNumber(instruction.operand(1).reg.value);
  return true;
}

// By VMOVUPS whatever the elements are; between registers both directions are one.
template <VexEncoding load, VexEncoding store, Alignment alignment>
bool lowerWhole(const Instruction& instruction, Emitter& emitter) {
  if (lowerStore<alignment>(instruction, emitter)) return true;
  if constexpr (alignment == Alignment::natural) {
    return lowerVexOften<load, "0F 10", VexFromAligned>(instruction, emitter) ||
           lowerVexOften<store, "0F 10", VexFromAligned>(instruction, emitter);
  } else {
    return lowerVexOften<load, "0F 10", VexFromMemory>(instruction, emitter) ||
           lowerVexOften<store, "0F 10", VexFromMemory>(instruction, emitter);
  }
}

// ---- scalars and halves

// Zeros above it, to the end of the register.
void setAlone(Cpu& cpu, std::uint8_t number, __m128i value) {
  setXmm(cpu, number, value);
  cpu.ymm[number].high = {};
}

template <class T>
bool loadAlone(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t address = 0;
  T value;
  if (!effectiveAddress<Form::any>(cpu, op, address) || !load(cpu, address, value)) return false;
  setAlone(cpu, op.to, zeroExtended(value));
  return true;
}

template <class T>
bool fromGeneral(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  setAlone(cpu, op.to, zeroExtended(reg<T>(cpu, op.from)));
  return true;
}

template <class T>
bool fromLow(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  setAlone(cpu, op.to, zeroExtended(lowOf<T>(xmm(cpu, op.from))));
  return true;
}

template <class T>
bool toGeneral(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  setReg<T>(cpu, op.to, lowOf<T>(xmm(cpu, op.from)));
  return true;
}

template <class T>
bool storeLow(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t address = 0;
  return effectiveAddress<Form::any>(cpu, op, address) && store(cpu, address, lowOf<T>(xmm(cpu, op.from)));
}

bool storeHigh(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t address = 0;
  const __m128i value = xmm(cpu, op.from);
  return effectiveAddress<Form::any>(cpu, op, address) &&
         store(cpu, address, lowOf<std::uint64_t>(_mm_unpackhi_epi64(value, value)));
}

template <auto body>
bool lowerToMemory(const Instruction& instruction, Emitter& emitter) {
  if (!isMemory(instruction.operand(0))) return false;
  emitter.addMemory(anyForm<body>(), instruction.operand(0)).from = registerNumber(instruction.operand(1).reg.value);
  return true;
}

template <class T>
bool lowerFromMemory(const Instruction& instruction, Emitter& emitter) {
  if (!isMemory(instruction.operand(1))) return false;
  emitter.addMemory(anyForm<&loadAlone<T>>(), instruction.operand(1)).to =
      registerNumber(instruction.operand(0).reg.value);
  return true;
}

bool isGeneral(const Operand& operand) {
  return ZydisRegisterGetClass(operand.reg.value) != ZYDIS_REGCLASS_XMM;
}

// VMOVD and VMOVQ.
template <class T>
bool lowerAlone(const Instruction& instruction, Emitter& emitter) {
  if (lowerToMemory<&storeLow<T>>(instruction, emitter) || lowerFromMemory<T>(instruction, emitter)) return true;
  const Operand& to = instruction.operand(0);
  const Operand& from = instruction.operand(1);
  Operation& op = emitter.add(isGeneral(to)     ? &step<&toGeneral<T>>
                              : isGeneral(from) ? &step<&fromGeneral<T>>
                                                : &step<&fromLow<T>>);
  op.to = isGeneral(to) ? registerPlace(to.reg.value) : registerNumber(to.reg.value);
  op.from = isGeneral(from) ? registerPlace(from.reg.value) : registerNumber(from.reg.value);
  return true;
}

// VMOVSS and VMOVSD: of registers the last one's lane into the first one's; both directions are one.
template <class T, VexEncoding load, VexEncoding store>
bool lowerLane(const Instruction& instruction, Emitter& emitter) {
  constexpr Reads kReads = sizeof(T) == 4 ? Reads::one32 : Reads::one64;
  return lowerToMemory<&storeLow<T>>(instruction, emitter) || lowerFromMemory<T>(instruction, emitter) ||
         lowerVexBy<load, load, kReads>(instruction, emitter) || lowerVexBy<store, load, kReads>(instruction, emitter);
}

// VMOVLPx, VMOVHPx: a half of memory, the other one of the first source. By VMOVSD and VMOVLHPS.
template <VexEncoding load>
bool lowerLowHalf(const Instruction& instruction, Emitter& emitter) {
  return lowerToMemory<&storeLow<std::uint64_t>>(instruction, emitter) ||
         lowerVexBy<load, "NDS.F2.0F 10", Reads::always64>(instruction, emitter);
}
template <VexEncoding load>
bool lowerHighHalf(const Instruction& instruction, Emitter& emitter) {
  return lowerToMemory<&storeHigh>(instruction, emitter) ||
         lowerVexBy<load, "NDS.0F 16", Reads::always64>(instruction, emitter);
}

// ---- signs of lanes, as bits

template <VexEncoding encoding, VexLength length>
bool signsToGeneral(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  WideVector unused;
  const std::uint64_t signs =
      runOnHost<encoding, length, VexFromRegister::kSource<Reads::whole, length>, VexResult::general>(
          vexOperands(cpu, op, unused, &cpu.ymm[op.from]));
  setReg<std::uint64_t>(cpu, op.to, signs);
  return true;
}

template <VexEncoding encoding>
bool lowerSigns(const Instruction& instruction, Emitter& emitter) {
  const bool isLong = lengthOf(instruction, Reads::whole) == VexLength::bits256;
  Operation& op = emitter.add(isLong ? &step<&signsToGeneral<encoding, VexLength::bits256>>
                                     : &step<&signsToGeneral<encoding, VexLength::bits128>>);
  op.to = registerPlace(instruction.operand(0).reg.value);
  op.from = registerNumber(instruction.operand(1).reg.value);
  return true;
}

// ---- VZEROUPPER, VZEROALL: of the registers that the mode has; `detail` is how many

bool zeroUpper(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  for (WideVector& value : std::span(cpu.ymm).first(op.detail)) value.high = {};
  return true;
}

bool zeroAll(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  for (WideVector& value : std::span(cpu.ymm).first(op.detail)) value = {};
  return true;
}

template <auto body>
bool lowerZero(const Instruction& instruction, Emitter& emitter) {
  emitter.add(&step<body>).detail = instruction.codeSize == CodeSize::bits64 ? 16 : 8;
  emitter.setFlagRole(FlagRole::neutral);
  return true;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_VMOVAPS, &lowerWhole<"0F 28", "MR.0F 29", Alignment::natural>},
    Lowering{ZYDIS_MNEMONIC_VMOVAPD, &lowerWhole<"66.0F 28", "MR.66.0F 29", Alignment::natural>},
    Lowering{ZYDIS_MNEMONIC_VMOVDQA, &lowerWhole<"66.0F 6F", "MR.66.0F 7F", Alignment::natural>},
    Lowering{ZYDIS_MNEMONIC_VMOVUPS, &lowerWhole<"0F 10", "MR.0F 11", Alignment::any>},
    Lowering{ZYDIS_MNEMONIC_VMOVUPD, &lowerWhole<"66.0F 10", "MR.66.0F 11", Alignment::any>},
    Lowering{ZYDIS_MNEMONIC_VMOVDQU, &lowerWhole<"F3.0F 6F", "MR.F3.0F 7F", Alignment::any>},
    Lowering{ZYDIS_MNEMONIC_VLDDQU, &lowerVexBy<"F2.0F F0", "0F 10">},
    Lowering{ZYDIS_MNEMONIC_VMOVNTDQA, &lowerVexBy<"66.0F38 2A", "0F 10", Reads::whole, kSilent, VexFromAligned>},
    Lowering{ZYDIS_MNEMONIC_VMOVNTPS, &lowerStore<Alignment::natural>},
    Lowering{ZYDIS_MNEMONIC_VMOVNTPD, &lowerStore<Alignment::natural>},
    Lowering{ZYDIS_MNEMONIC_VMOVNTDQ, &lowerStore<Alignment::natural>},
    Lowering{ZYDIS_MNEMONIC_VMOVD, &lowerAlone<std::uint32_t>},
    Lowering{ZYDIS_MNEMONIC_VMOVQ, &lowerAlone<std::uint64_t>},
    Lowering{ZYDIS_MNEMONIC_VMOVSS, &lowerLane<std::uint32_t, "NDS.F3.0F 10", "NDS.MR.F3.0F 11">},
    Lowering{ZYDIS_MNEMONIC_VMOVSD, &lowerLane<std::uint64_t, "NDS.F2.0F 10", "NDS.MR.F2.0F 11">},
    Lowering{ZYDIS_MNEMONIC_VMOVLPS, &lowerLowHalf<"NDS.0F 12">},
    Lowering{ZYDIS_MNEMONIC_VMOVLPD, &lowerLowHalf<"NDS.66.0F 12">},
    Lowering{ZYDIS_MNEMONIC_VMOVHPS, &lowerHighHalf<"NDS.0F 16">},
    Lowering{ZYDIS_MNEMONIC_VMOVHPD, &lowerHighHalf<"NDS.66.0F 16">},
    Lowering{ZYDIS_MNEMONIC_VMOVHLPS, &lowerVex<"NDS.0F 12", Reads::one64>},
    Lowering{ZYDIS_MNEMONIC_VMOVLHPS, &lowerVex<"NDS.0F 16", Reads::one64>},
    Lowering{ZYDIS_MNEMONIC_VMOVMSKPS, &lowerSigns<"0F 50">},
    Lowering{ZYDIS_MNEMONIC_VMOVMSKPD, &lowerSigns<"66.0F 50">},
    Lowering{ZYDIS_MNEMONIC_VPMOVMSKB, &lowerSigns<"66.0F D7">},
    Lowering{ZYDIS_MNEMONIC_VZEROUPPER, &lowerZero<&zeroUpper>},
    Lowering{ZYDIS_MNEMONIC_VZEROALL, &lowerZero<&zeroAll>},
};

}  // namespace

std::span<const Lowering> avxMoveLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
