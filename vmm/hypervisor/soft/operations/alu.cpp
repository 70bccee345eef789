#include "vmm/hypervisor/soft/operations/alu.h"

#include "vmm/hypervisor/soft/operations/alu_arithmetic.h"
#include "vmm/hypervisor/soft/operations/locked.h"
#include "vmm/hypervisor/soft/operations/operand.h"

namespace qm::soft {

namespace {

// ---- bodies: `Op` is one of alu_arithmetic.h; T the operand's type

template <class Op>
struct Binary {
  template <class T>
  struct RegisterRegister {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      const T result = Op::apply(reg<T>(cpu, op.to), reg<T>(cpu, op.from), flags);
      if constexpr (Op::kWrites) setReg<T>(cpu, op.to, result);
      return true;
    }
  };
  template <class T>
  struct RegisterImmediate {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      const T result = Op::apply(reg<T>(cpu, op.to), immediateOf<T>(op), flags);
      if constexpr (Op::kWrites) setReg<T>(cpu, op.to, result);
      return true;
    }
  };
  template <class T, Form form>
  struct RegisterMemory {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      std::uint64_t address = 0;
      T source;
      if (!effectiveAddress<form>(cpu, op, address) || !load(cpu, address, source)) return false;
      const T result = Op::apply(reg<T>(cpu, op.to), source, flags);
      if constexpr (Op::kWrites) setReg<T>(cpu, op.to, result);
      return true;
    }
  };
  // The second operand of a form that has memory for its first.
  struct FromRegister {
    template <class T>
    static T get(const Cpu& cpu, const Operation& op) {
      return reg<T>(cpu, op.from);
    }
  };
  struct FromImmediate {
    template <class T>
    static T get(const Cpu& /*cpu*/, const Operation& op) {
      return immediateOf<T>(op);
    }
  };
  template <class T, Form form, class Source>
  static bool memory(Cpu& cpu, const Operation& op, Flags& flags) {
    std::uint64_t address = 0;
    T value;
    if (!effectiveAddress<form>(cpu, op, address)) return false;
    const T source = Source::template get<T>(cpu, op);
    if constexpr (!Op::kWrites) {
      if (!load(cpu, address, value)) return false;
      Op::apply(value, source, flags);
      return true;
    } else {
      if (!loadForWrite(cpu, address, value)) return false;
      Flags after = flags;
      if (!store<T>(cpu, address, Op::apply(value, source, after))) return false;
      flags = after;
      return true;
    }
  }
  template <class T, Form form>
  struct MemoryRegister {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      return memory<T, form, FromRegister>(cpu, op, flags);
    }
  };
  template <class T, Form form>
  struct MemoryImmediate {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      return memory<T, form, FromImmediate>(cpu, op, flags);
    }
  };
  // LOCK: only with a memory destination. `detail` tells whether the source is the immediate.
  template <class T>
  struct Locked {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      if constexpr (Op::kWrites) {
        std::uint64_t address = 0;
        if (!effectiveAddress<Form::any>(cpu, op, address)) return false;
        const T source = op.detail != 0 ? immediateOf<T>(op) : reg<T>(cpu, op.from);
        Flags after = flags;
        const bool done = lockedChange<T>(cpu, address, [&](T* at) { Op::applyLocked(at, source, after); });
        if (done) flags = after;
        return done;
      }
      return false;
    }
  };

  // With two registers, or an immediate, it can't stop.
  static void tellFlags(Emitter& emitter, const Operation& op, const Operand& to, const Operand& from) {
    if (!isRegister(to)) return;
    const FlagRole role = isMemory(from) ? FlagRole::barrier : Op::kReads ? FlagRole::reads : FlagRole::overwrites;
    Handler quiet = nullptr;
    if constexpr (HasQuiet<Op>) {
      using Silent = Binary<Quiet<Op>>;
      static constexpr SizeTable kRegister = bySize<Silent::template RegisterRegister>(),
                                 kImmediate = bySize<Silent::template RegisterImmediate>();
      static constexpr MemoryTable kMemory = bySizeAndForm<Silent::template RegisterMemory>();
      const std::size_t size = sizeIndex(to.size);
      quiet = isMemory(from)      ? kMemory[size][static_cast<std::size_t>(Emitter::formOf(op))]
              : isImmediate(from) ? kImmediate[size]
                                  : kRegister[size];
    }
    emitter.setFlagRole(role, quiet);
  }

  static bool lower(const Instruction& instruction, Emitter& emitter) {
    static constexpr SizeTable kRegisterRegister = bySize<RegisterRegister>();
    static constexpr SizeTable kRegisterImmediate = bySize<RegisterImmediate>();
    static constexpr SizeTable kLocked = bySize<Locked>();
    static constexpr MemoryTable kRegisterMemory = bySizeAndForm<RegisterMemory>();
    static constexpr MemoryTable kMemoryRegister = bySizeAndForm<MemoryRegister>();
    static constexpr MemoryTable kMemoryImmediate = bySizeAndForm<MemoryImmediate>();
    const Operand& to = instruction.operand(0);
    const Operand& from = instruction.operand(1);
    const std::size_t size = sizeIndex(to.size);
    Operation* op = nullptr;
    if (isMemory(to) && instruction.isLocked()) {
      op = &emitter.add(kLocked[size]);
      emitter.setAddress(*op, to);
      op->detail = isImmediate(from) ? 1 : 0;
    } else if (isMemory(to)) {
      op = &emitter.addMemory(isImmediate(from) ? kMemoryImmediate[size] : kMemoryRegister[size], to);
    } else if (isMemory(from)) {
      op = &emitter.addMemory(kRegisterMemory[size], from);
    } else {
      op = &emitter.add(isImmediate(from) ? kRegisterImmediate[size] : kRegisterRegister[size]);
    }
    tellFlags(emitter, *op, to, from);
    if (isRegister(to)) op->to = registerPlace(to.reg.value);
    if (isRegister(from)) op->from = registerPlace(from.reg.value);
    if (isImmediate(from)) op->immediate = from.imm.value.u;
    return true;
  }
};

template <class Op>
struct Unary {
  template <class T>
  struct Register {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      setReg<T>(cpu, op.to, Op::apply(reg<T>(cpu, op.to), flags));
      return true;
    }
  };
  template <class T, Form form>
  struct Memory {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      std::uint64_t address = 0;
      T value;
      if (!effectiveAddress<form>(cpu, op, address) || !loadForWrite(cpu, address, value)) return false;
      Flags after = flags;
      if (!store<T>(cpu, address, Op::apply(value, after))) return false;
      flags = after;
      return true;
    }
  };
  template <class T>
  struct Locked {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      std::uint64_t address = 0;
      if (!effectiveAddress<Form::any>(cpu, op, address)) return false;
      Flags after = flags;
      const bool done = lockedChange<T>(cpu, address, [&](T* at) { Op::applyLocked(at, after); });
      if (done) flags = after;
      return done;
    }
  };

  static bool lower(const Instruction& instruction, Emitter& emitter) {
    static constexpr SizeTable kRegister = bySize<Register>();
    static constexpr SizeTable kLocked = bySize<Locked>();
    static constexpr MemoryTable kMemory = bySizeAndForm<Memory>();
    const Operand& to = instruction.operand(0);
    const std::size_t size = sizeIndex(to.size);
    if (isRegister(to)) {
      emitter.add(kRegister[size]).to = registerPlace(to.reg.value);
      emitter.setFlagRole(Op::kRole);
    } else if (instruction.isLocked()) {
      emitter.setAddress(emitter.add(kLocked[size]), to);
    } else {
      emitter.addMemory(kMemory[size], to);
    }
    return true;
  }
};

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_ADD, &Binary<Add>::lower},
    Lowering{ZYDIS_MNEMONIC_ADC, &Binary<AddWithCarry>::lower},
    Lowering{ZYDIS_MNEMONIC_SUB, &Binary<Subtract>::lower},
    Lowering{ZYDIS_MNEMONIC_SBB, &Binary<SubtractWithBorrow>::lower},
    Lowering{ZYDIS_MNEMONIC_CMP, &Binary<Compare>::lower},
    Lowering{ZYDIS_MNEMONIC_AND, &Binary<And>::lower},
    Lowering{ZYDIS_MNEMONIC_OR, &Binary<Or>::lower},
    Lowering{ZYDIS_MNEMONIC_XOR, &Binary<ExclusiveOr>::lower},
    Lowering{ZYDIS_MNEMONIC_TEST, &Binary<Test>::lower},
    Lowering{ZYDIS_MNEMONIC_INC, &Unary<Increment>::lower},
    Lowering{ZYDIS_MNEMONIC_DEC, &Unary<Decrement>::lower},
    Lowering{ZYDIS_MNEMONIC_NEG, &Unary<Negate>::lower},
    Lowering{ZYDIS_MNEMONIC_NOT, &Unary<Complement>::lower},
};

}  // namespace

std::span<const Lowering> aluLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
