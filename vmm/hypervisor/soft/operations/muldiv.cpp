#include "vmm/hypervisor/soft/operations/muldiv.h"

#include "vmm/hypervisor/soft/operations/muldiv_arithmetic.h"
#include "vmm/hypervisor/soft/operations/operand.h"
#include "vmm/hypervisor/soft/operations/register_or_memory.h"
#include "vmm/hypervisor/soft/operations/register_place.h"

namespace qm::soft {

namespace {

// A double-width number is in rdx:rax, one of bytes in ah:al.
template <class T>
constexpr std::uint8_t kLow = place::kRax;
template <class T>
constexpr std::uint8_t kHigh = sizeof(T) == 1 ? place::kAh : place::kRdx;

template <class Op, class Where>
struct IntoPair {
  template <class T>
  struct Body {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      T factor;
      if (!Where::read(cpu, op, factor)) return false;
      const Double<T> product = Op::apply(reg<T>(cpu, kLow<T>), factor, flags);
      setReg<T>(cpu, kLow<T>, product.low);
      setReg<T>(cpu, kHigh<T>, product.high);
      return true;
    }
  };
};

template <class Where>
struct IntoRegister {
  template <class T>
  struct ByRegister {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      T factor;
      if (!Where::read(cpu, op, factor)) return false;
      setReg<T>(cpu, op.to, multiplyToLow(reg<T>(cpu, op.to), factor, flags));
      return true;
    }
  };
  template <class T>
  struct ByImmediate {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      T factor;
      if (!Where::read(cpu, op, factor)) return false;
      setReg<T>(cpu, op.to, multiplyToLow(factor, immediateOf<T>(op), flags));
      return true;
    }
  };
};

// The flags are undefined; they stay.
template <class Op, class Where>
struct OfPair {
  template <class T>
  struct Body {
    static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
      T divisor;
      if (!Where::read(cpu, op, divisor)) return false;
      const auto result = Op::apply(Double<T>{.low = reg<T>(cpu, kLow<T>), .high = reg<T>(cpu, kHigh<T>)}, divisor);
      if (!result) return raise(cpu, Exception::divideError);
      setReg<T>(cpu, kLow<T>, result->quotient);
      setReg<T>(cpu, kHigh<T>, result->remainder);
      return true;
    }
  };
};

// ---- lowering

template <template <class, class> class Bodies, class Op>
bool lowerPair(const Instruction& instruction, Emitter& emitter) {
  static constexpr SizeTable kRegister = bySize<Bodies<Op, InRegister>::template Body>(),
                             kMemory = bySize<Bodies<Op, InMemory>::template Body>();
  const Operand& source = instruction.operand(0);
  const std::size_t size = sizeIndex(source.size);
  addWithSource(emitter, source, kRegister[size], kMemory[size]);
  return true;
}

bool lowerMultiplySigned(const Instruction& instruction, Emitter& emitter) {
  static constexpr SizeTable kRegister = byWordSize<IntoRegister<InRegister>::ByRegister>(),
                             kMemory = byWordSize<IntoRegister<InMemory>::ByRegister>(),
                             kRegisterImmediate = byWordSize<IntoRegister<InRegister>::ByImmediate>(),
                             kMemoryImmediate = byWordSize<IntoRegister<InMemory>::ByImmediate>();
  if (instruction.explicitOperands() == 1) return lowerPair<IntoPair, MultiplySigned>(instruction, emitter);
  const std::size_t size = sizeIndex(instruction.operand(0).size);
  const Operand& source = instruction.operand(1);
  const bool hasImmediate = instruction.explicitOperands() == 3;
  Operation& op = hasImmediate ? addWithSource(emitter, source, kRegisterImmediate[size], kMemoryImmediate[size])
                               : addWithSource(emitter, source, kRegister[size], kMemory[size]);
  op.to = registerPlace(instruction.operand(0).reg.value);
  if (hasImmediate) op.immediate = instruction.operand(2).imm.value.u;
  return true;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_MUL, &lowerPair<IntoPair, Multiply>},
    Lowering{ZYDIS_MNEMONIC_IMUL, &lowerMultiplySigned},
    Lowering{ZYDIS_MNEMONIC_DIV, &lowerPair<OfPair, Divide>},
    Lowering{ZYDIS_MNEMONIC_IDIV, &lowerPair<OfPair, DivideSigned>},
};

}  // namespace

std::span<const Lowering> muldivLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
