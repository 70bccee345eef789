#include "vmm/hypervisor/soft/operations/shift.h"

#include "vmm/hypervisor/soft/operations/register_or_memory.h"
#include "vmm/hypervisor/soft/operations/register_place.h"
#include "vmm/hypervisor/soft/operations/shift_arithmetic.h"

namespace qm::soft {

namespace {

// ---- where the count is

struct ByImmediate {
  static std::uint8_t get(const Cpu& /*cpu*/, const Operation& op) { return static_cast<std::uint8_t>(op.immediate); }
};
struct ByCl {
  static std::uint8_t get(const Cpu& cpu, const Operation& /*op*/) { return reg<std::uint8_t>(cpu, place::kCl); }
};

// Five bits of a count matter, six with 64-bit operands (SDM 2, SAL).
template <class T, class Count>
std::uint8_t countOf(const Cpu& cpu, const Operation& op) {
  return Count::get(cpu, op) & (sizeof(T) == 8 ? 0x3fU : 0x1fU);
}

// ---- bodies: `Op` is one of shift_arithmetic.h. By 0 the operand is written all the same: 4 bytes are widened,
// memory may fault.

template <class Op, class Count, class Where>
struct Shift {
  template <class T>
  struct Body {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      const std::uint8_t count = countOf<T, Count>(cpu, op);
      return Where::template change<T>(
          cpu, op, flags, [&](T value, Flags& after) { return count == 0 ? value : Op::apply(value, count, after); });
    }
  };
};

template <class Op, class Count, class Where>
struct DoubleShift {
  template <class T>
  struct Body {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      const std::uint8_t count = countOf<T, Count>(cpu, op);
      const T from = reg<T>(cpu, op.from);
      return Where::template change<T>(cpu, op, flags, [&](T value, Flags& after) {
        return count == 0 ? value : Op::apply(value, from, count, after);
      });
    }
  };
};

// ---- lowering

// In a register, by an immediate, it can't stop. By 0 it leaves the flags alone.
template <class Op>
void tellFlags(Emitter& emitter, std::size_t size, std::uint64_t count) {
  const bool isByZero = (count & (size == 3 ? 0x3fU : 0x1fU)) == 0;
  const FlagRole role = isByZero ? FlagRole::merges : Op::kRole;
  Handler quiet = nullptr;
  if constexpr (HasQuietShift<Op>) {
    static constexpr SizeTable kQuiet = bySize<Shift<QuietShift<Op>, ByImmediate, InRegister>::template Body>();
    quiet = kQuiet[size];
  }
  emitter.setFlagRole(role, quiet);
}

template <class Op>
bool lowerShift(const Instruction& instruction, Emitter& emitter) {
  static constexpr SizeTable kRegisterImmediate = bySize<Shift<Op, ByImmediate, InRegister>::template Body>(),
                             kRegisterCl = bySize<Shift<Op, ByCl, InRegister>::template Body>(),
                             kMemoryImmediate = bySize<Shift<Op, ByImmediate, InMemory>::template Body>(),
                             kMemoryCl = bySize<Shift<Op, ByCl, InMemory>::template Body>();
  const Operand& to = instruction.operand(0);
  const Operand& count = instruction.operand(1);
  const std::size_t size = sizeIndex(to.size);
  Operation& op = isImmediate(count) ? addWithDestination(emitter, to, kRegisterImmediate[size], kMemoryImmediate[size])
                                     : addWithDestination(emitter, to, kRegisterCl[size], kMemoryCl[size]);
  if (isImmediate(count)) op.immediate = count.imm.value.u;
  if (isImmediate(count) && isRegister(to)) tellFlags<Op>(emitter, size, count.imm.value.u);
  return true;
}

template <class Op>
bool lowerDoubleShift(const Instruction& instruction, Emitter& emitter) {
  static constexpr SizeTable kRegisterImmediate = byWordSize<DoubleShift<Op, ByImmediate, InRegister>::template Body>(),
                             kRegisterCl = byWordSize<DoubleShift<Op, ByCl, InRegister>::template Body>(),
                             kMemoryImmediate = byWordSize<DoubleShift<Op, ByImmediate, InMemory>::template Body>(),
                             kMemoryCl = byWordSize<DoubleShift<Op, ByCl, InMemory>::template Body>();
  const Operand& to = instruction.operand(0);
  const Operand& count = instruction.operand(2);
  const std::size_t size = sizeIndex(to.size);
  Operation& op = isImmediate(count) ? addWithDestination(emitter, to, kRegisterImmediate[size], kMemoryImmediate[size])
                                     : addWithDestination(emitter, to, kRegisterCl[size], kMemoryCl[size]);
  op.from = registerPlace(instruction.operand(1).reg.value);
  if (isImmediate(count)) op.immediate = count.imm.value.u;
  return true;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_SHL, &lowerShift<ShiftLeft>},
    Lowering{ZYDIS_MNEMONIC_SHR, &lowerShift<ShiftRight>},
    Lowering{ZYDIS_MNEMONIC_SAR, &lowerShift<ShiftRightArithmetic>},
    Lowering{ZYDIS_MNEMONIC_ROL, &lowerShift<RotateLeft>},
    Lowering{ZYDIS_MNEMONIC_ROR, &lowerShift<RotateRight>},
    Lowering{ZYDIS_MNEMONIC_RCL, &lowerShift<RotateLeftThroughCarry>},
    Lowering{ZYDIS_MNEMONIC_RCR, &lowerShift<RotateRightThroughCarry>},
    Lowering{ZYDIS_MNEMONIC_SHLD, &lowerDoubleShift<DoubleShiftLeft>},
    Lowering{ZYDIS_MNEMONIC_SHRD, &lowerDoubleShift<DoubleShiftRight>},
};

}  // namespace

std::span<const Lowering> shiftLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
