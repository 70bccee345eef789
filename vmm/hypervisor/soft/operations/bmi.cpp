#include "vmm/hypervisor/soft/operations/bmi.h"

#include "vmm/hypervisor/soft/host/host_cpu.h"
#include "vmm/hypervisor/soft/operations/bmi_arithmetic.h"
#include "vmm/hypervisor/soft/operations/muldiv_arithmetic.h"
#include "vmm/hypervisor/soft/operations/register_or_memory.h"
#include "vmm/hypervisor/soft/operations/register_place.h"

namespace qm::soft {

namespace {

bool hostHas(HostFeature feature) {
  switch (feature) {
    case HostFeature::any:
      return true;
    case HostFeature::bmi1:
      return hostCan().bmi1;
    case HostFeature::bmi2:
      return hostCan().bmi2;
  }
  return false;
}

// ---- the three-operand instructions: `Op` is one of bmi_arithmetic.h

struct OtherInRegister {
  template <class T>
  static T get(const Cpu& cpu, const Operation& op) {
    return reg<T>(cpu, op.third);
  }
};
struct OtherInImmediate {
  template <class T>
  static T get(const Cpu& /*cpu*/, const Operation& op) {
    return static_cast<T>(op.immediate);
  }
};

template <class Op, class Other, class Where>
struct ThreeOperands {
  template <class T>
  struct Body {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      T value;
      if (!Where::read(cpu, op, value)) return false;
      setReg<T>(cpu, op.to, Op::apply(value, Other::template get<T>(cpu, op), flags));
      return true;
    }
  };
};

// With two operands (BLSI and its kin) there is no other; al stands for it. BEXTR by an immediate is AMD's TBM, which
// nobody is offered.
template <class Op>
bool lowerThreeOperands(const Instruction& instruction, Emitter& emitter) {
  static constexpr SizeTable kRegister = byWideSize<ThreeOperands<Op, OtherInRegister, InRegister>::template Body>(),
                             kMemory = byWideSize<ThreeOperands<Op, OtherInRegister, InMemory>::template Body>();
  const std::size_t valueAt = Op::kValueAt == ValueAt::second ? 1 : 2, size = sizeIndex(instruction.operand(0).size);
  const Operand* other = instruction.explicitOperands() == 3 ? &instruction.operand(3 - valueAt) : nullptr;
  if (!hostHas(Op::kNeeds) || (other != nullptr && !isRegister(*other))) return false;
  Operation& op = addWithSource(emitter, instruction.operand(valueAt), kRegister[size], kMemory[size]);
  op.to = registerPlace(instruction.operand(0).reg.value);
  if (other != nullptr) op.third = registerPlace(other->reg.value);
  return true;
}

bool lowerRotate(const Instruction& instruction, Emitter& emitter) {
  static constexpr SizeTable kRegister =
                                 byWideSize<ThreeOperands<RotateRightQuietly, OtherInImmediate, InRegister>::Body>(),
                             kMemory =
                                 byWideSize<ThreeOperands<RotateRightQuietly, OtherInImmediate, InMemory>::Body>();
  const std::size_t size = sizeIndex(instruction.operand(0).size);
  Operation& op = addWithSource(emitter, instruction.operand(1), kRegister[size], kMemory[size]);
  op.to = registerPlace(instruction.operand(0).reg.value);
  op.immediate = instruction.operand(2).imm.value.u;
  return true;
}

// ---- MULX: rdx times a source into two registers, upper half first; if they are one, it holds the upper half

template <class Where>
struct MultiplyQuietly {
  template <class T>
  struct Body {
    static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
      T factor;
      if (!Where::read(cpu, op, factor)) return false;
      Flags unused = 0;
      const Double<T> product = Multiply::apply(reg<T>(cpu, place::kRdx), factor, unused);
      setReg<T>(cpu, op.third, product.low);
      setReg<T>(cpu, op.to, product.high);
      return true;
    }
  };
};

bool lowerMultiply(const Instruction& instruction, Emitter& emitter) {
  static constexpr SizeTable kRegister = byWideSize<MultiplyQuietly<InRegister>::Body>(),
                             kMemory = byWideSize<MultiplyQuietly<InMemory>::Body>();
  const std::size_t size = sizeIndex(instruction.operand(0).size);
  Operation& op = addWithSource(emitter, instruction.operand(2), kRegister[size], kMemory[size]);
  op.to = registerPlace(instruction.operand(0).reg.value);
  op.third = registerPlace(instruction.operand(1).reg.value);
  return true;
}

// ---- ADCX, ADOX: addition with one flag for carry, in and out, that leaves the others alone

template <Flags carry, class Where>
struct AddWithOneFlag {
  template <class T>
  struct Body {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      T addend;
      if (!Where::read(cpu, op, addend)) return false;
      T sum;
      const bool first = __builtin_add_overflow(reg<T>(cpu, op.to), addend, &sum);
      const bool second = __builtin_add_overflow(sum, static_cast<T>((flags & carry) != 0), &sum);
      setReg<T>(cpu, op.to, sum);
      flags = (flags & ~carry) | (first || second ? carry : 0);
      return true;
    }
  };
};

template <Flags carry>
bool lowerAddWithOneFlag(const Instruction& instruction, Emitter& emitter) {
  static constexpr SizeTable kRegister = byWideSize<AddWithOneFlag<carry, InRegister>::template Body>(),
                             kMemory = byWideSize<AddWithOneFlag<carry, InMemory>::template Body>();
  const std::size_t size = sizeIndex(instruction.operand(0).size);
  addWithSource(emitter, instruction.operand(1), kRegister[size], kMemory[size]).to =
      registerPlace(instruction.operand(0).reg.value);
  return true;
}

// ---- CRC32 of a source of T, in the lower half of the destination; the upper is cleared whatever its size

template <class Where>
struct Checksum {
  template <class T>
  struct Body {
    static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
      T source;
      if (!Where::read(cpu, op, source)) return false;
      if constexpr (sizeof(T) == 8) {
        std::uint64_t checksum = reg<std::uint64_t>(cpu, op.to);
        asm("crc32 %[source], %[checksum]" : [checksum] "+r"(checksum) : [source] "r"(source));
        setReg(cpu, op.to, checksum);
      } else {
        std::uint32_t checksum = reg<std::uint32_t>(cpu, op.to);
        asm("crc32 %[source], %[checksum]" : [checksum] "+r"(checksum) : [source] "r"(source));
        setReg(cpu, op.to, checksum);
      }
      return true;
    }
  };
};

bool lowerChecksum(const Instruction& instruction, Emitter& emitter) {
  static constexpr SizeTable kRegister = bySize<Checksum<InRegister>::Body>(),
                             kMemory = bySize<Checksum<InMemory>::Body>();
  const Operand& source = instruction.operand(1);
  const std::size_t size = sizeIndex(source.size);
  addWithSource(emitter, source, kRegister[size], kMemory[size]).to = registerPlace(instruction.operand(0).reg.value);
  return true;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_ANDN, &lowerThreeOperands<AndNot>},
    Lowering{ZYDIS_MNEMONIC_BEXTR, &lowerThreeOperands<ExtractField>},
    Lowering{ZYDIS_MNEMONIC_BLSI, &lowerThreeOperands<IsolateLowestBit>},
    Lowering{ZYDIS_MNEMONIC_BLSMSK, &lowerThreeOperands<MaskToLowestBit>},
    Lowering{ZYDIS_MNEMONIC_BLSR, &lowerThreeOperands<ResetLowestBit>},
    Lowering{ZYDIS_MNEMONIC_BZHI, &lowerThreeOperands<ZeroHighBits>},
    Lowering{ZYDIS_MNEMONIC_PDEP, &lowerThreeOperands<DepositBits>},
    Lowering{ZYDIS_MNEMONIC_PEXT, &lowerThreeOperands<ExtractBits>},
    Lowering{ZYDIS_MNEMONIC_SHLX, &lowerThreeOperands<ShiftLeftQuietly>},
    Lowering{ZYDIS_MNEMONIC_SHRX, &lowerThreeOperands<ShiftRightQuietly>},
    Lowering{ZYDIS_MNEMONIC_SARX, &lowerThreeOperands<ShiftRightArithmeticQuietly>},
    Lowering{ZYDIS_MNEMONIC_RORX, &lowerRotate},
    Lowering{ZYDIS_MNEMONIC_MULX, &lowerMultiply},
    Lowering{ZYDIS_MNEMONIC_ADCX, &lowerAddWithOneFlag<kCarry>},
    Lowering{ZYDIS_MNEMONIC_ADOX, &lowerAddWithOneFlag<kOverflow>},
    Lowering{ZYDIS_MNEMONIC_CRC32, &lowerChecksum},
};

}  // namespace

std::span<const Lowering> bmiLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
