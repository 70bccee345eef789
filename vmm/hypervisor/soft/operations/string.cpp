#include "vmm/hypervisor/soft/operations/string.h"

#include "vmm/hypervisor/soft/operations/string_element.h"

namespace qm::soft {

namespace {

template <Form form, class Element>
void advancePointers(Cpu& cpu, const Operation& op, std::uint64_t bytes) {
  if constexpr (Element::kHasSource) advance<form>(cpu, op, place::kRsi, bytes);
  if constexpr (Element::kHasTarget) advance<form>(cpu, op, place::kRdi, bytes);
}

template <class Element>
struct Once {
  template <class T, Form form>
  static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
    if (!Element::template one<T, form>(cpu, op, flags)) return false;
    advancePointers<form, Element>(cpu, op, sizeof(T));
    return true;
  }
};

// A repeat is interrupted between elements: the registers say what is left, and rip stays (SDM 2, REP). So it looks up
// after each run, and after so many bytes asks its loop to look at the clock.
constexpr std::uint64_t kBytesAtOnce = 64 << 10;

// A repeat widens its 32-bit registers before its first element, even if there is none or it faults: the count, and the
// pointers of those instructions that processors do in bulk. As this host's CPU does; the manual does not say.
template <Form form, class Element>
void widenRegisters(Cpu& cpu, const Operation& op) {
  if constexpr (form == Form::any) {
    setPointer<form>(cpu, op, place::kRcx, pointerOf<form>(cpu, op, place::kRcx));
    if constexpr (Element::kIsBulk) advancePointers<form, Element>(cpu, op, 0);
  }
}

template <class Element>
struct Repeated {
  // How many elements were done; 0: stopped.
  template <class T, Form form>
  static std::uint64_t some(Cpu& cpu, const Operation& op, std::uint64_t most, Flags& flags) {
    if constexpr (form == Form::base) {
      // By itself an instruction does one element: its devices' answers and its traps are an element's.
      if (!cpu.stepping && (cpu.rflags & rflags::kDf) == 0) {
        const auto repeatWhile = static_cast<RepeatWhile>(op.detail);
        if (const std::uint64_t done = Element::template run<T>(cpu, most, repeatWhile, flags); done != 0) return done;
      }
    }
    return Element::template one<T, form>(cpu, op, flags) ? 1 : 0;
  }

  static bool isOver(const Operation& op, Flags flags) {
    if constexpr (!Element::kCompares) return false;
    const bool wereEqual = (flags & kZero) != 0;
    return wereEqual != (static_cast<RepeatWhile>(op.detail) == RepeatWhile::equal);
  }

  template <class T, Form form>
  static Outcome run(Cpu& cpu, const Operation& op) {
    widenRegisters<form, Element>(cpu, op);
    std::uint64_t left = pointerOf<form>(cpu, op, place::kRcx);
    if (left == 0) return Outcome::next;
    Flags flags = cpu.flags;  // a fault finds those of the instruction's start (SDM 2, REP)
    std::uint64_t bytes = 0;
    while (bytes < kBytesAtOnce) {
      const std::uint64_t done = some<T, form>(cpu, op, left, flags);
      if (done == 0) return Outcome::stopped;
      advancePointers<form, Element>(cpu, op, done * sizeof(T));
      left -= done;
      setPointer<form>(cpu, op, place::kRcx, left);
      if (left == 0 || isOver(op, flags)) {
        cpu.flags = flags;
        return Outcome::next;
      }
      bytes += done * sizeof(T);
      if (cpu.stepping || cpu.attention.load(std::memory_order_relaxed)) break;
    }
    if (bytes >= kBytesAtOnce) cpu.attention.store(true, std::memory_order_relaxed);
    cpu.flags = flags;
    cpu.stop = Stop::attention;
    return Outcome::partly;
  }
};

// ---- lowering

// [form: base, any]
template <class Element, class T>
constexpr std::array<Handler, 2> kOnce{&step<&Once<Element>::template run<T, Form::base>>,
                                       &step<&Once<Element>::template run<T, Form::any>>};
template <class Element, class T>
constexpr std::array<Handler, 2> kRepeated{&system<&Repeated<Element>::template run<T, Form::base>>,
                                           &system<&Repeated<Element>::template run<T, Form::any>>};

// The operand that says how addresses are made: the source where there is one, for its segment can be chosen.
const Operand* addressedOperand(const Instruction& instruction) {
  const Operand* found = nullptr;
  for (std::size_t i = 0; i < instruction.raw.operand_count; ++i) {
    const Operand& operand = instruction.operand(i);
    if (!isMemory(operand)) continue;
    if (addressRegister(operand.mem.base) == number::kRsi) return &operand;
    found = &operand;
  }
  return found;
}

template <class Element>
bool lowerString(const Instruction& instruction, Emitter& emitter) {
  static constexpr std::array kOnces{kOnce<Element, std::uint8_t>, kOnce<Element, std::uint16_t>,
                                     kOnce<Element, std::uint32_t>, kOnce<Element, std::uint64_t>};
  static constexpr std::array kRepeats{kRepeated<Element, std::uint8_t>, kRepeated<Element, std::uint16_t>,
                                       kRepeated<Element, std::uint32_t>, kRepeated<Element, std::uint64_t>};
  const Operand* memory = addressedOperand(instruction);
  if (memory == nullptr) return false;
  const std::size_t size = sizeIndex(instruction.operandBits());
  const bool isEqual = instruction.has(ZYDIS_ATTRIB_HAS_REPE), isNotEqual = instruction.has(ZYDIS_ATTRIB_HAS_REPNE);
  const bool isRepeated = isEqual || isNotEqual || instruction.has(ZYDIS_ATTRIB_HAS_REP);
  const auto& handlers = isRepeated ? kRepeats[size] : kOnces[size];
  Operation& op = emitter.addMemory({handlers[0], handlers[1], handlers[1]}, *memory);
  op.detail = static_cast<std::uint8_t>(isEqual      ? RepeatWhile::equal
                                        : isNotEqual ? RepeatWhile::notEqual
                                                     : RepeatWhile::always);
  return true;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_MOVSB, &lowerString<MoveString>},
    Lowering{ZYDIS_MNEMONIC_MOVSW, &lowerString<MoveString>},
    Lowering{ZYDIS_MNEMONIC_MOVSD, &lowerString<MoveString>},
    Lowering{ZYDIS_MNEMONIC_MOVSQ, &lowerString<MoveString>},
    Lowering{ZYDIS_MNEMONIC_STOSB, &lowerString<StoreString>},
    Lowering{ZYDIS_MNEMONIC_STOSW, &lowerString<StoreString>},
    Lowering{ZYDIS_MNEMONIC_STOSD, &lowerString<StoreString>},
    Lowering{ZYDIS_MNEMONIC_STOSQ, &lowerString<StoreString>},
    Lowering{ZYDIS_MNEMONIC_LODSB, &lowerString<LoadString>},
    Lowering{ZYDIS_MNEMONIC_LODSW, &lowerString<LoadString>},
    Lowering{ZYDIS_MNEMONIC_LODSD, &lowerString<LoadString>},
    Lowering{ZYDIS_MNEMONIC_LODSQ, &lowerString<LoadString>},
    Lowering{ZYDIS_MNEMONIC_CMPSB, &lowerString<CompareStrings>},
    Lowering{ZYDIS_MNEMONIC_CMPSW, &lowerString<CompareStrings>},
    Lowering{ZYDIS_MNEMONIC_CMPSD, &lowerString<CompareStrings>},
    Lowering{ZYDIS_MNEMONIC_CMPSQ, &lowerString<CompareStrings>},
    Lowering{ZYDIS_MNEMONIC_SCASB, &lowerString<ScanString>},
    Lowering{ZYDIS_MNEMONIC_SCASW, &lowerString<ScanString>},
    Lowering{ZYDIS_MNEMONIC_SCASD, &lowerString<ScanString>},
    Lowering{ZYDIS_MNEMONIC_SCASQ, &lowerString<ScanString>},
};

}  // namespace

std::span<const Lowering> stringLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
