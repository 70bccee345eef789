#include "vmm/hypervisor/soft/operations/bit.h"

#include <bit>
#include <type_traits>

#include "vmm/hypervisor/soft/operations/bit_arithmetic.h"
#include "vmm/hypervisor/soft/operations/locked.h"
#include "vmm/hypervisor/soft/operations/register_or_memory.h"

namespace qm::soft {

namespace {

// ---- BT BTS BTR BTC

template <class T>
constexpr unsigned kBits = sizeof(T) * 8;

void setCarry(Flags& flags, bool carry) {
  flags = (flags & ~kCarry) | (carry ? kCarry : 0);
}

// Which bit: of a register operand by the offset's low bits, of memory by all of them, signed, if a register holds them
// (SDM 1, 3.1.1.9).
struct OffsetInRegister {
  template <class T>
  static T get(const Cpu& cpu, const Operation& op) {
    return reg<T>(cpu, op.from);
  }
};
struct OffsetInImmediate {
  template <class T>
  static T get(const Cpu& /*cpu*/, const Operation& op) {
    return static_cast<T>(op.immediate & (kBits<T> - 1));
  }
};

// The address of the T that holds the bit. Where addresses are cut or segments have limits, the offset is a part of the
// effective address as the displacement is.
template <class T>
bool bitAddress(Cpu& cpu, const Operation& op, T offset, std::uint64_t& address) {
  constexpr auto kShift = static_cast<unsigned>(std::countr_zero(kBits<T>));
  const std::int64_t units = static_cast<std::make_signed_t<T>>(offset) >> kShift;
  const std::uint64_t bytes = static_cast<std::uint64_t>(units) * sizeof(T);
  if (op.addressing != Addressing::legacy) [[likely]] {
    if (!effectiveAddress<Form::any>(cpu, op, address)) return false;
    address += bytes;
    return true;
  }
  Operation moved = op;
  moved.displacement =
      static_cast<std::int32_t>(static_cast<std::uint32_t>(op.displacement) + static_cast<std::uint32_t>(bytes));
  return effectiveAddress<Form::any>(cpu, moved, address);
}

template <class Op, class Offset>
struct OneBit {
  template <class T>
  struct Register {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      const T value = reg<T>(cpu, op.to);
      const T mask = static_cast<T>(T{1} << (Offset::template get<T>(cpu, op) & (kBits<T> - 1)));
      setCarry(flags, (value & mask) != 0);
      if constexpr (Op::kWrites) setReg<T>(cpu, op.to, Op::apply(value, mask));
      return true;
    }
  };
  template <class T>
  struct Memory {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      const T offset = Offset::template get<T>(cpu, op);
      const T mask = static_cast<T>(T{1} << (offset & (kBits<T> - 1)));
      std::uint64_t address = 0;
      T value;
      if (!bitAddress(cpu, op, offset, address)) return false;
      if constexpr (Op::kWrites) {
        if (!loadForWrite(cpu, address, value) || !store<T>(cpu, address, Op::apply(value, mask))) return false;
      } else {
        if (!load(cpu, address, value)) return false;
      }
      setCarry(flags, (value & mask) != 0);
      return true;
    }
  };
  template <class T>
  struct Locked {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      if constexpr (Op::kWrites) {
        const T offset = Offset::template get<T>(cpu, op);
        std::uint64_t address = 0;
        if (!bitAddress(cpu, op, offset, address)) return false;
        bool was = false;
        const auto change = [&](T* at) { was = Op::applyLocked(at, static_cast<T>(offset & (kBits<T> - 1))); };
        if (!lockedChange<T>(cpu, address, change)) return false;
        setCarry(flags, was);
        return true;
      }
      return false;
    }
  };
  static Operation& add(const Instruction& instruction, Emitter& emitter) {
    static constexpr SizeTable kRegister = byWordSize<Register>(), kMemory = byWordSize<Memory>(),
                               kLocked = byWordSize<Locked>();
    const Operand& to = instruction.operand(0);
    const std::size_t size = sizeIndex(to.size);
    return addWithDestination(emitter, to, kRegister[size], instruction.isLocked() ? kLocked[size] : kMemory[size]);
  }
};

template <class Op>
bool lowerOneBit(const Instruction& instruction, Emitter& emitter) {
  const Operand& offset = instruction.operand(1);
  if (isImmediate(offset)) {
    OneBit<Op, OffsetInImmediate>::add(instruction, emitter).immediate = offset.imm.value.u;
  } else {
    OneBit<Op, OffsetInRegister>::add(instruction, emitter).from = registerPlace(offset.reg.value);
  }
  return true;
}

// ---- BSF BSR LZCNT TZCNT POPCNT

template <class Op, class Where>
struct Scan {
  template <class T>
  struct Body {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      T source;
      if (!Where::read(cpu, op, source)) return false;
      const T result = Op::apply(source, flags);
      if (Op::kWritesWhenZero || source != 0) setReg<T>(cpu, op.to, result);
      return true;
    }
  };
};

template <class Op>
bool lowerScan(const Instruction& instruction, Emitter& emitter) {
  static constexpr SizeTable kRegister = byWordSize<Scan<Op, InRegister>::template Body>(),
                             kMemory = byWordSize<Scan<Op, InMemory>::template Body>();
  const std::size_t size = sizeIndex(instruction.operand(0).size);
  addWithSource(emitter, instruction.operand(1), kRegister[size], kMemory[size]).to =
      registerPlace(instruction.operand(0).reg.value);
  return true;
}

// ---- CLC STC CMC CLD STD

bool clearCarry(Cpu& /*cpu*/, const Operation& /*op*/, Flags& flags) {
  flags &= ~kCarry;
  return true;
}

bool setCarryFlag(Cpu& /*cpu*/, const Operation& /*op*/, Flags& flags) {
  flags |= kCarry;
  return true;
}

bool complementCarry(Cpu& /*cpu*/, const Operation& /*op*/, Flags& flags) {
  flags ^= kCarry;
  return true;
}

bool clearDirection(Cpu& cpu, const Operation& /*op*/, Flags& /*flags*/) {
  cpu.rflags &= ~rflags::kDf;
  return true;
}

bool setDirection(Cpu& cpu, const Operation& /*op*/, Flags& /*flags*/) {
  cpu.rflags |= rflags::kDf;
  return true;
}

template <auto body>
bool lowerPlain(const Instruction& /*instruction*/, Emitter& emitter) {
  emitter.add(&step<body>);
  return true;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_BT, &lowerOneBit<BitTest>},
    Lowering{ZYDIS_MNEMONIC_BTS, &lowerOneBit<BitSet>},
    Lowering{ZYDIS_MNEMONIC_BTR, &lowerOneBit<BitReset>},
    Lowering{ZYDIS_MNEMONIC_BTC, &lowerOneBit<BitComplement>},
    Lowering{ZYDIS_MNEMONIC_BSF, &lowerScan<ScanForward>},
    Lowering{ZYDIS_MNEMONIC_BSR, &lowerScan<ScanReverse>},
    Lowering{ZYDIS_MNEMONIC_LZCNT, &lowerScan<CountLeadingZeros>},
    Lowering{ZYDIS_MNEMONIC_TZCNT, &lowerScan<CountTrailingZeros>},
    Lowering{ZYDIS_MNEMONIC_POPCNT, &lowerScan<CountOnes>},
    Lowering{ZYDIS_MNEMONIC_CLC, &lowerPlain<&clearCarry>},
    Lowering{ZYDIS_MNEMONIC_STC, &lowerPlain<&setCarryFlag>},
    Lowering{ZYDIS_MNEMONIC_CMC, &lowerPlain<&complementCarry>},
    Lowering{ZYDIS_MNEMONIC_CLD, &lowerPlain<&clearDirection>},
    Lowering{ZYDIS_MNEMONIC_STD, &lowerPlain<&setDirection>},
};

}  // namespace

std::span<const Lowering> bitLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
