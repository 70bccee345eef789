#include "vmm/hypervisor/soft/operations/exchange.h"

#include "vmm/hypervisor/soft/operations/alu_arithmetic.h"
#include "vmm/hypervisor/soft/operations/exchange_arithmetic.h"
#include "vmm/hypervisor/soft/operations/locked.h"
#include "vmm/hypervisor/soft/operations/register_or_memory.h"
#include "vmm/hypervisor/soft/operations/register_place.h"

namespace qm::soft {

namespace {

// ---- CMPXCHG: of the destination and the accumulator only the one that changes is written, so that the other's upper
// half stays with 4-byte operands; memory is written in any case

template <class T>
struct CompareExchangeRegister {
  static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
    const T accumulator = reg<T>(cpu, place::kRax), value = reg<T>(cpu, op.to);
    Compare::apply(accumulator, value, flags);
    if (accumulator == value) {
      setReg<T>(cpu, op.to, reg<T>(cpu, op.from));
    } else {
      setReg<T>(cpu, place::kRax, value);
    }
    return true;
  }
};

template <class T>
struct CompareExchangeMemory {
  static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
    std::uint64_t address = 0;
    T value;
    if (!effectiveAddress<Form::any>(cpu, op, address) || !loadForWrite(cpu, address, value)) return false;
    const T accumulator = reg<T>(cpu, place::kRax);
    if (!store<T>(cpu, address, accumulator == value ? reg<T>(cpu, op.from) : value)) return false;
    Compare::apply(accumulator, value, flags);
    if (accumulator != value) setReg<T>(cpu, place::kRax, value);
    return true;
  }
};

template <class T>
struct CompareExchangeLocked {
  static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
    std::uint64_t address = 0;
    if (!effectiveAddress<Form::any>(cpu, op, address)) return false;
    const T desired = reg<T>(cpu, op.from);
    T accumulator = reg<T>(cpu, place::kRax);
    Flags after = 0;
    const auto change = [&](T* at) { lockedCompareExchange(at, accumulator, desired, after); };
    if (!lockedChange<T>(cpu, address, change)) return false;
    flags = after;
    if ((after & kZero) == 0) setReg<T>(cpu, place::kRax, accumulator);
    return true;
  }
};

bool lowerCompareExchange(const Instruction& instruction, Emitter& emitter) {
  static constexpr SizeTable kRegister = bySize<CompareExchangeRegister>(), kMemory = bySize<CompareExchangeMemory>(),
                             kLocked = bySize<CompareExchangeLocked>();
  const Operand& to = instruction.operand(0);
  const std::size_t size = sizeIndex(to.size);
  addWithDestination(emitter, to, kRegister[size], instruction.isLocked() ? kLocked[size] : kMemory[size]).from =
      registerPlace(instruction.operand(1).reg.value);
  return true;
}

// ---- CMPXCHG8B, CMPXCHG16B: of the flags only ZF changes

void setZero(Flags& flags, bool zero) {
  flags = (flags & ~kZero) | (zero ? kZero : 0);
}

std::uint64_t joined(const Cpu& cpu, std::uint8_t high, std::uint8_t low) {
  return std::uint64_t{reg<std::uint32_t>(cpu, high)} << 32U | reg<std::uint32_t>(cpu, low);
}

// Locked whether it says so or not.
bool compareExchange8(Cpu& cpu, const Operation& op, Flags& flags) {
  std::uint64_t address = 0;
  if (!effectiveAddress<Form::any>(cpu, op, address)) return false;
  const std::uint64_t desired = joined(cpu, place::kRcx, place::kRbx);
  std::uint64_t accumulator = joined(cpu, place::kRdx, place::kRax);
  Flags after = 0;
  const auto change = [&](std::uint64_t* at) { lockedCompareExchange(at, accumulator, desired, after); };
  if (!lockedChange<std::uint64_t>(cpu, address, change)) return false;
  const bool wereEqual = (after & kZero) != 0;
  setZero(flags, wereEqual);
  if (wereEqual) return true;
  setReg(cpu, place::kRax, static_cast<std::uint32_t>(accumulator));
  setReg(cpu, place::kRdx, static_cast<std::uint32_t>(accumulator >> 32U));
  return true;
}

template <Atomicity atomicity>
bool compareExchange16(Cpu& cpu, const Operation& op, Flags& flags) {
  std::uint64_t address = 0;
  if (!effectiveAddress<Form::any>(cpu, op, address)) return false;
  if (address % sizeof(Vector) != 0) return raise(cpu, Exception::generalProtection);
  const Pair desired{.low = reg<std::uint64_t>(cpu, place::kRbx), .high = reg<std::uint64_t>(cpu, place::kRcx)};
  Pair accumulator{.low = reg<std::uint64_t>(cpu, place::kRax), .high = reg<std::uint64_t>(cpu, place::kRdx)};
  bool wereEqual = false;
  const auto change = [&](Vector* at) { wereEqual = compareExchangePair(at, accumulator, desired, atomicity); };
  if (!lockedChange<Vector>(cpu, address, change)) return false;
  setZero(flags, wereEqual);
  if (wereEqual) return true;
  setReg(cpu, place::kRax, accumulator.low);
  setReg(cpu, place::kRdx, accumulator.high);
  return true;
}

bool lowerCompareExchange8(const Instruction& instruction, Emitter& emitter) {
  emitter.addMemory(anyForm<&compareExchange8>(), instruction.operand(0));
  return true;
}

bool lowerCompareExchange16(const Instruction& instruction, Emitter& emitter) {
  emitter.addMemory(instruction.isLocked() ? anyForm<&compareExchange16<Atomicity::locked>>()
                                           : anyForm<&compareExchange16<Atomicity::plain>>(),
                    instruction.operand(0));
  return true;
}

// ---- XADD: if both operands are the same register, it holds the sum

template <class T>
struct ExchangeAddRegister {
  static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
    const T before = reg<T>(cpu, op.to);
    const T sum = Add::apply(before, reg<T>(cpu, op.from), flags);
    setReg<T>(cpu, op.from, before);
    setReg<T>(cpu, op.to, sum);
    return true;
  }
};

template <class T>
struct ExchangeAddMemory {
  static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
    std::uint64_t address = 0;
    T before;
    if (!effectiveAddress<Form::any>(cpu, op, address) || !loadForWrite(cpu, address, before)) return false;
    Flags after = 0;
    if (!store<T>(cpu, address, Add::apply(before, reg<T>(cpu, op.from), after))) return false;
    flags = after;
    setReg<T>(cpu, op.from, before);
    return true;
  }
};

template <class T>
struct ExchangeAddLocked {
  static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
    std::uint64_t address = 0;
    if (!effectiveAddress<Form::any>(cpu, op, address)) return false;
    const T value = reg<T>(cpu, op.from);
    T before = 0;
    Flags after = 0;
    if (!lockedChange<T>(cpu, address, [&](T* at) { before = lockedExchangeAdd(at, value, after); })) return false;
    flags = after;
    setReg<T>(cpu, op.from, before);
    return true;
  }
};

bool lowerExchangeAdd(const Instruction& instruction, Emitter& emitter) {
  static constexpr SizeTable kRegister = bySize<ExchangeAddRegister>(), kMemory = bySize<ExchangeAddMemory>(),
                             kLocked = bySize<ExchangeAddLocked>();
  const Operand& to = instruction.operand(0);
  const std::size_t size = sizeIndex(to.size);
  addWithDestination(emitter, to, kRegister[size], instruction.isLocked() ? kLocked[size] : kMemory[size]).from =
      registerPlace(instruction.operand(1).reg.value);
  return true;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_CMPXCHG, &lowerCompareExchange},
    Lowering{ZYDIS_MNEMONIC_CMPXCHG8B, &lowerCompareExchange8},
    Lowering{ZYDIS_MNEMONIC_CMPXCHG16B, &lowerCompareExchange16},
    Lowering{ZYDIS_MNEMONIC_XADD, &lowerExchangeAdd},
};

}  // namespace

std::span<const Lowering> exchangeLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
