#include "vmm/hypervisor/soft/operations/move.h"

#include <bit>

#include "vmm/hypervisor/soft/operations/control_moves.h"
#include "vmm/hypervisor/soft/operations/locked.h"
#include "vmm/hypervisor/soft/operations/operand.h"

namespace qm::soft {

namespace {

// ---- MOV

template <class T>
struct RegisterRegister {
  static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
    setReg<T>(cpu, op.to, reg<T>(cpu, op.from));
    return true;
  }
};

template <class T>
struct RegisterImmediate {
  static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
    setReg<T>(cpu, op.to, immediateOf<T>(op));
    return true;
  }
};

template <class T, Form form>
struct RegisterMemory {
  static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
    std::uint64_t address = 0;
    T value;
    if (!effectiveAddress<form>(cpu, op, address) || !load(cpu, address, value)) return false;
    setReg<T>(cpu, op.to, value);
    return true;
  }
};

template <class T, Form form>
struct MemoryRegister {
  static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
    std::uint64_t address = 0;
    return effectiveAddress<form>(cpu, op, address) && store<T>(cpu, address, reg<T>(cpu, op.from));
  }
};

template <class T, Form form>
struct MemoryImmediate {
  static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
    std::uint64_t address = 0;
    return effectiveAddress<form>(cpu, op, address) && store<T>(cpu, address, immediateOf<T>(op));
  }
};

bool lowerMove(const Instruction& instruction, Emitter& emitter) {
  static constexpr SizeTable kRegisterRegister = bySize<RegisterRegister>(),
                             kRegisterImmediate = bySize<RegisterImmediate>();
  static constexpr MemoryTable kRegisterMemory = bySizeAndForm<RegisterMemory>(),
                               kMemoryRegister = bySizeAndForm<MemoryRegister>(),
                               kMemoryImmediate = bySizeAndForm<MemoryImmediate>();
  const Operand& to = instruction.operand(0);
  const Operand& from = instruction.operand(1);
  if (isSystemRegister(to) || isSystemRegister(from)) return lowerSystemMove(instruction, emitter);
  const std::size_t size = sizeIndex(to.size);
  Operation* op = nullptr;
  if (isMemory(to)) {
    op = &emitter.addMemory(isImmediate(from) ? kMemoryImmediate[size] : kMemoryRegister[size], to);
  } else if (isMemory(from)) {
    op = &emitter.addMemory(kRegisterMemory[size], from);
  } else {
    op = &emitter.add(isImmediate(from) ? kRegisterImmediate[size] : kRegisterRegister[size]);
    emitter.setFlagRole(FlagRole::neutral);
  }
  if (isRegister(to)) op->to = registerPlace(to.reg.value);
  if (isRegister(from)) op->from = registerPlace(from.reg.value);
  if (isImmediate(from)) op->immediate = from.imm.value.u;
  return true;
}

// ---- MOVZX, MOVSX, MOVSXD: From is read with its sign or without, and widened to the destination

template <class From>
struct Widen {
  template <class T>
  static T widen(From value) {
    return static_cast<T>(value);  // a signed one keeps its sign
  }
  template <class T>
  struct Register {
    static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
      setReg<T>(cpu, op.to, widen<T>(reg<From>(cpu, op.from)));
      return true;
    }
  };
  template <class T, Form form>
  struct Memory {
    static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
      std::uint64_t address = 0;
      From value;
      if (!effectiveAddress<form>(cpu, op, address) || !load(cpu, address, value)) return false;
      setReg<T>(cpu, op.to, widen<T>(value));
      return true;
    }
  };
  static bool lower(const Instruction& instruction, Emitter& emitter) {
    static constexpr SizeTable kRegister = bySize<Register>();
    static constexpr MemoryTable kMemory = bySizeAndForm<Memory>();
    const Operand& from = instruction.operand(1);
    const std::size_t size = sizeIndex(instruction.operand(0).size);
    Operation& op = isMemory(from) ? emitter.addMemory(kMemory[size], from) : emitter.add(kRegister[size]);
    op.to = registerPlace(instruction.operand(0).reg.value);
    if (isRegister(from)) op.from = registerPlace(from.reg.value);
    if (isRegister(from)) emitter.setFlagRole(FlagRole::neutral);
    return true;
  }
};

bool lowerZeroExtend(const Instruction& instruction, Emitter& emitter) {
  return instruction.operand(1).size == 8 ? Widen<std::uint8_t>::lower(instruction, emitter)
                                          : Widen<std::uint16_t>::lower(instruction, emitter);
}

// MOVSXD into 16 bits reads 16 (SDM 2B); Zydis names 32.
bool lowerSignExtend(const Instruction& instruction, Emitter& emitter) {
  if (instruction.mnemonic() == ZYDIS_MNEMONIC_MOVSXD && instruction.operand(0).size == 16)
    return Widen<std::int16_t>::lower(instruction, emitter);
  switch (instruction.operand(1).size) {
    case 8:
      return Widen<std::int8_t>::lower(instruction, emitter);
    case 16:
      return Widen<std::int16_t>::lower(instruction, emitter);
    default:
      return Widen<std::int32_t>::lower(instruction, emitter);
  }
}

// ---- LEA

template <class T>
struct LoadAddress {
  static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
    std::uint64_t address = cpu.gpr[op.base] + (cpu.gpr[op.index] << op.scale) +
                            static_cast<std::uint64_t>(static_cast<std::int64_t>(op.displacement));
    if (op.addressing == Addressing::farRip) [[unlikely]]
      address += std::uint64_t{op.offset} + op.length;
    if (op.addressBytes == 4) address &= 0xffff'ffff;
    if (op.addressBytes == 2) address &= 0xffff;
    setReg<T>(cpu, op.to, static_cast<T>(address));
    return true;
  }
};

bool lowerLoadAddress(const Instruction& instruction, Emitter& emitter) {
  static constexpr SizeTable kHandlers = bySize<LoadAddress>();
  Operation& op = emitter.add(kHandlers[sizeIndex(instruction.operand(0).size)]);
  emitter.setFlagRole(FlagRole::neutral);
  emitter.setAddress(op, instruction.operand(1));
  op.to = registerPlace(instruction.operand(0).reg.value);
  return op.addressing != Addressing::wide;
}

// ---- XCHG: with memory it is locked whether it says so or not (SDM 2)

template <class T>
struct ExchangeRegisters {
  static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
    const T first = reg<T>(cpu, op.to), second = reg<T>(cpu, op.from);
    setReg<T>(cpu, op.to, second);
    setReg<T>(cpu, op.from, first);
    return true;
  }
};

template <class T>
struct ExchangeMemory {
  static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
    std::uint64_t address = 0;
    T value = reg<T>(cpu, op.from);
    if (!effectiveAddress<Form::any>(cpu, op, address) || !lockedChange<T>(cpu, address, [&](T* at) {
          asm volatile("xchg %0, %1" : "+r"(value), "+m"(*at) : : "memory");
        }))
      return false;
    setReg<T>(cpu, op.from, value);
    return true;
  }
};

bool lowerExchange(const Instruction& instruction, Emitter& emitter) {
  static constexpr SizeTable kRegisters = bySize<ExchangeRegisters>(), kMemory = bySize<ExchangeMemory>();
  const Operand& first = instruction.operand(0);
  const Operand& second = instruction.operand(1);
  const std::size_t size = sizeIndex(first.size);
  if (isRegister(first) && isRegister(second)) {
    Operation& op = emitter.add(kRegisters[size]);
    op.to = registerPlace(first.reg.value);
    op.from = registerPlace(second.reg.value);
    return true;
  }
  Operation& op = emitter.add(kMemory[size]);
  emitter.setAddress(op, isMemory(first) ? first : second);
  op.from = registerPlace(isMemory(first) ? second.reg.value : first.reg.value);
  return true;
}

// ---- CMOVcc and SETcc

// The source is read, and may fault, whatever the condition; a 4-byte destination is widened even if it is not moved.
template <Condition condition>
struct Conditional {
  template <class T>
  struct MoveRegister {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      setReg<T>(cpu, op.to, holds<condition>(flags) ? reg<T>(cpu, op.from) : reg<T>(cpu, op.to));
      return true;
    }
  };
  template <class T>
  struct MoveMemory {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      std::uint64_t address = 0;
      T value;
      if (!effectiveAddress<Form::any>(cpu, op, address) || !load(cpu, address, value)) return false;
      setReg<T>(cpu, op.to, holds<condition>(flags) ? value : reg<T>(cpu, op.to));
      return true;
    }
  };
  static bool setRegister(Cpu& cpu, const Operation& op, Flags& flags) {
    setReg<std::uint8_t>(cpu, op.to, holds<condition>(flags) ? 1 : 0);
    return true;
  }
  static bool setMemory(Cpu& cpu, const Operation& op, Flags& flags) {
    std::uint64_t address = 0;
    return effectiveAddress<Form::any>(cpu, op, address) &&
           store<std::uint8_t>(cpu, address, holds<condition>(flags) ? 1 : 0);
  }

  static bool lowerMove(const Instruction& instruction, Emitter& emitter) {
    static constexpr SizeTable kRegister = bySize<MoveRegister>(), kMemory = bySize<MoveMemory>();
    const Operand& from = instruction.operand(1);
    const std::size_t size = sizeIndex(instruction.operand(0).size);
    Operation& op = emitter.add(isMemory(from) ? kMemory[size] : kRegister[size]);
    op.to = registerPlace(instruction.operand(0).reg.value);
    if (isRegister(from)) op.from = registerPlace(from.reg.value);
    if (isRegister(from)) emitter.setFlagRole(FlagRole::reads);
    if (isMemory(from)) emitter.setAddress(op, from);
    return true;
  }
  static bool lowerSet(const Instruction& instruction, Emitter& emitter) {
    const Operand& to = instruction.operand(0);
    Operation& op = emitter.add(isMemory(to) ? &step<&setMemory> : &step<&setRegister>);
    if (isRegister(to)) op.to = registerPlace(to.reg.value);
    if (isRegister(to)) emitter.setFlagRole(FlagRole::reads);
    if (isMemory(to)) emitter.setAddress(op, to);
    return true;
  }
};

// ---- BSWAP, MOVBE, and the widenings of rax

bool swapBytes32(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  setReg(cpu, op.to, std::byteswap(reg<std::uint32_t>(cpu, op.to)));
  return true;
}

bool swapBytes64(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  setReg(cpu, op.to, std::byteswap(reg<std::uint64_t>(cpu, op.to)));
  return true;
}

// With a 16-bit operand the result is undefined (SDM 2, BSWAP); processors clear the word.
bool swapBytes16(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  setReg(cpu, op.to, std::uint16_t{0});
  return true;
}

bool lowerSwapBytes(const Instruction& instruction, Emitter& emitter) {
  const unsigned bits = instruction.operand(0).size;
  emitter.add(bits == 64   ? &step<&swapBytes64>
              : bits == 32 ? &step<&swapBytes32>
                           : &step<&swapBytes16>)
      .to = registerPlace(instruction.operand(0).reg.value);
  return true;
}

template <class T>
struct LoadSwapped {
  static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
    std::uint64_t address = 0;
    T value;
    if (!effectiveAddress<Form::any>(cpu, op, address) || !load(cpu, address, value)) return false;
    setReg<T>(cpu, op.to, std::byteswap(value));
    return true;
  }
};

template <class T>
struct StoreSwapped {
  static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
    std::uint64_t address = 0;
    return effectiveAddress<Form::any>(cpu, op, address) && store<T>(cpu, address, std::byteswap(reg<T>(cpu, op.from)));
  }
};

bool lowerMoveSwapped(const Instruction& instruction, Emitter& emitter) {
  static constexpr SizeTable kLoad = bySize<LoadSwapped>(), kStore = bySize<StoreSwapped>();
  const Operand& to = instruction.operand(0);
  const Operand& from = instruction.operand(1);
  const std::size_t size = sizeIndex(to.size);
  Operation& op = emitter.add(isMemory(to) ? kStore[size] : kLoad[size]);
  emitter.setAddress(op, isMemory(to) ? to : from);
  if (isMemory(to)) {
    op.from = registerPlace(from.reg.value);
  } else {
    op.to = registerPlace(to.reg.value);
  }
  return true;
}

// CBW CWDE CDQE widen rax within itself, CWD CDQ CQO into rdx.
constexpr std::uint8_t kRaxPlace = 0, kRdxPlace = 16;

template <class Narrow, class Wide>
bool widenAccumulator(Cpu& cpu, const Operation& /*op*/, Flags& /*flags*/) {
  const auto value = static_cast<Wide>(static_cast<std::make_signed_t<Wide>>(reg<Narrow>(cpu, kRaxPlace)));
  setReg<Wide>(cpu, kRaxPlace, value);
  return true;
}

template <class T>
bool signIntoRdx(Cpu& cpu, const Operation& /*op*/, Flags& /*flags*/) {
  const bool isNegative = static_cast<std::make_signed_t<T>>(reg<T>(cpu, kRaxPlace)) < 0;
  setReg<T>(cpu, kRdxPlace, isNegative ? static_cast<T>(~T{0}) : T{0});
  return true;
}

template <auto body>
bool lowerPlain(const Instruction& /*instruction*/, Emitter& emitter) {
  emitter.add(&step<body>);
  return true;
}

// ---- LAHF, SAHF: the low byte of RFLAGS but for bit 1

bool loadFlagsIntoAh(Cpu& cpu, const Operation& /*op*/, Flags& flags) {
  setReg(cpu, 1, static_cast<std::uint8_t>((statusToRflags(flags) & 0xd5U) | 2U));
  return true;
}

bool storeAhIntoFlags(Cpu& cpu, const Operation& /*op*/, Flags& flags) {
  flags = (flags & kOverflow) | (statusFromRflags(reg<std::uint8_t>(cpu, 1)) & ~kOverflow);
  return true;
}

using enum Condition;
constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_MOV, &lowerMove},
    Lowering{ZYDIS_MNEMONIC_MOVNTI, &lowerMove},
    Lowering{ZYDIS_MNEMONIC_MOVZX, &lowerZeroExtend},
    Lowering{ZYDIS_MNEMONIC_MOVSX, &lowerSignExtend},
    Lowering{ZYDIS_MNEMONIC_MOVSXD, &lowerSignExtend},
    Lowering{ZYDIS_MNEMONIC_LEA, &lowerLoadAddress},
    Lowering{ZYDIS_MNEMONIC_XCHG, &lowerExchange},
    Lowering{ZYDIS_MNEMONIC_BSWAP, &lowerSwapBytes},
    Lowering{ZYDIS_MNEMONIC_MOVBE, &lowerMoveSwapped},
    Lowering{ZYDIS_MNEMONIC_CBW, &lowerPlain<&widenAccumulator<std::int8_t, std::uint16_t>>},
    Lowering{ZYDIS_MNEMONIC_CWDE, &lowerPlain<&widenAccumulator<std::int16_t, std::uint32_t>>},
    Lowering{ZYDIS_MNEMONIC_CDQE, &lowerPlain<&widenAccumulator<std::int32_t, std::uint64_t>>},
    Lowering{ZYDIS_MNEMONIC_CWD, &lowerPlain<&signIntoRdx<std::uint16_t>>},
    Lowering{ZYDIS_MNEMONIC_CDQ, &lowerPlain<&signIntoRdx<std::uint32_t>>},
    Lowering{ZYDIS_MNEMONIC_CQO, &lowerPlain<&signIntoRdx<std::uint64_t>>},
    Lowering{ZYDIS_MNEMONIC_LAHF, &lowerPlain<&loadFlagsIntoAh>},
    Lowering{ZYDIS_MNEMONIC_SAHF, &lowerPlain<&storeAhIntoFlags>},
    Lowering{ZYDIS_MNEMONIC_CMOVO, &Conditional<o>::lowerMove},
    Lowering{ZYDIS_MNEMONIC_CMOVNO, &Conditional<no>::lowerMove},
    Lowering{ZYDIS_MNEMONIC_CMOVB, &Conditional<b>::lowerMove},
    Lowering{ZYDIS_MNEMONIC_CMOVNB, &Conditional<nb>::lowerMove},
    Lowering{ZYDIS_MNEMONIC_CMOVZ, &Conditional<z>::lowerMove},
    Lowering{ZYDIS_MNEMONIC_CMOVNZ, &Conditional<nz>::lowerMove},
    Lowering{ZYDIS_MNEMONIC_CMOVBE, &Conditional<be>::lowerMove},
    Lowering{ZYDIS_MNEMONIC_CMOVNBE, &Conditional<nbe>::lowerMove},
    Lowering{ZYDIS_MNEMONIC_CMOVS, &Conditional<s>::lowerMove},
    Lowering{ZYDIS_MNEMONIC_CMOVNS, &Conditional<ns>::lowerMove},
    Lowering{ZYDIS_MNEMONIC_CMOVP, &Conditional<p>::lowerMove},
    Lowering{ZYDIS_MNEMONIC_CMOVNP, &Conditional<np>::lowerMove},
    Lowering{ZYDIS_MNEMONIC_CMOVL, &Conditional<l>::lowerMove},
    Lowering{ZYDIS_MNEMONIC_CMOVNL, &Conditional<nl>::lowerMove},
    Lowering{ZYDIS_MNEMONIC_CMOVLE, &Conditional<le>::lowerMove},
    Lowering{ZYDIS_MNEMONIC_CMOVNLE, &Conditional<nle>::lowerMove},
    Lowering{ZYDIS_MNEMONIC_SETO, &Conditional<o>::lowerSet},
    Lowering{ZYDIS_MNEMONIC_SETNO, &Conditional<no>::lowerSet},
    Lowering{ZYDIS_MNEMONIC_SETB, &Conditional<b>::lowerSet},
    Lowering{ZYDIS_MNEMONIC_SETNB, &Conditional<nb>::lowerSet},
    Lowering{ZYDIS_MNEMONIC_SETZ, &Conditional<z>::lowerSet},
    Lowering{ZYDIS_MNEMONIC_SETNZ, &Conditional<nz>::lowerSet},
    Lowering{ZYDIS_MNEMONIC_SETBE, &Conditional<be>::lowerSet},
    Lowering{ZYDIS_MNEMONIC_SETNBE, &Conditional<nbe>::lowerSet},
    Lowering{ZYDIS_MNEMONIC_SETS, &Conditional<s>::lowerSet},
    Lowering{ZYDIS_MNEMONIC_SETNS, &Conditional<ns>::lowerSet},
    Lowering{ZYDIS_MNEMONIC_SETP, &Conditional<p>::lowerSet},
    Lowering{ZYDIS_MNEMONIC_SETNP, &Conditional<np>::lowerSet},
    Lowering{ZYDIS_MNEMONIC_SETL, &Conditional<l>::lowerSet},
    Lowering{ZYDIS_MNEMONIC_SETNL, &Conditional<nl>::lowerSet},
    Lowering{ZYDIS_MNEMONIC_SETLE, &Conditional<le>::lowerSet},
    Lowering{ZYDIS_MNEMONIC_SETNLE, &Conditional<nle>::lowerSet},
};

}  // namespace

std::span<const Lowering> moveLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
