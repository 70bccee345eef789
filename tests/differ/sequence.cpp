#include "tests/differ/sequence.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "tests/differ/aim.h"
#include "tests/differ/harness.h"
#include "tests/differ/start_state.h"
#include "tests/differ/undefined.h"

namespace qm::differ {

namespace {

constexpr Gpr kCounter = Gpr::r15;
constexpr std::size_t kMostInstructions = 14;

// Those that go on to the next instruction, mostly; twice what shares flags.
constexpr std::array kFamilies{
    Family::alu,       Family::alu,         Family::alu,         Family::shift,   Family::shift,
    Family::move,      Family::move,        Family::bit,         Family::bmi,     Family::muldiv,
    Family::stack,     Family::atomics,     Family::sse_move,    Family::sse_int, Family::sse_arith,
    Family::sse_arith, Family::sse_convert, Family::sse_compare, Family::sse4,    Family::aes,
    Family::x87_move,  Family::x87_arith,   Family::x87_compare, Family::mmx,     Family::hint};

constexpr std::array kAvxFamilies{Family::alu,         Family::move,        Family::sse_move,  Family::sse_int,
                                  Family::sse_arith,   Family::sse4,        Family::avx_move,  Family::avx_move,
                                  Family::avx_int,     Family::avx_int,     Family::avx_arith, Family::avx_shuffle,
                                  Family::avx_convert, Family::avx_compare, Family::fma,       Family::x87_move};

bool isShiftByCl(const Instruction& instruction) {
  const auto visible = instruction.operands().first(instruction.info.operand_count_visible);
  return !visible.empty() && visible.back().type == ZYDIS_OPERAND_TYPE_REGISTER &&
         visible.back().reg.value == ZYDIS_REGISTER_CL &&
         (instruction.info.meta.category == ZYDIS_CATEGORY_SHIFT ||
          instruction.info.meta.category == ZYDIS_CATEGORY_ROTATE);
}

bool isOneOf(ZydisMnemonic mnemonic, std::initializer_list<ZydisMnemonic> of) {
  return std::ranges::find(of, mnemonic) != of.end();
}

// What a loop cannot have in it: memory by registers, the stack pointer or the counter overwritten, likely exceptions.
bool fits(const Instruction& instruction) {
  const auto mnemonic = instruction.info.mnemonic;
  if (isOneOf(mnemonic, {ZYDIS_MNEMONIC_DIV, ZYDIS_MNEMONIC_IDIV, ZYDIS_MNEMONIC_POPF, ZYDIS_MNEMONIC_POPFQ,
                         ZYDIS_MNEMONIC_ENTER, ZYDIS_MNEMONIC_LEAVE, ZYDIS_MNEMONIC_WRFSBASE, ZYDIS_MNEMONIC_WRGSBASE}))
    return false;
  const auto operands = instruction.operands();
  const bool isBitString =
      isOneOf(mnemonic, {ZYDIS_MNEMONIC_BT, ZYDIS_MNEMONIC_BTS, ZYDIS_MNEMONIC_BTR, ZYDIS_MNEMONIC_BTC}) &&
      operands[0].type == ZYDIS_OPERAND_TYPE_MEMORY && operands[1].type == ZYDIS_OPERAND_TYPE_REGISTER;
  if (isBitString) return false;
  constexpr auto kWrites = static_cast<ZydisOperandActions>(ZYDIS_OPERAND_ACTION_MASK_WRITE);
  const bool isStack =
      instruction.info.meta.category == ZYDIS_CATEGORY_PUSH || instruction.info.meta.category == ZYDIS_CATEGORY_POP;
  return std::ranges::all_of(operands, [&](const ZydisDecodedOperand& operand) {
    const bool isHidden = operand.visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN;
    if (isStack && isHidden) return true;
    if (operand.type == ZYDIS_OPERAND_TYPE_REGISTER && (operand.actions & kWrites) != 0) {
      const std::optional<Gpr> written = gprOf(operand.reg.value);
      return written != Gpr::rsp && written != kCounter;
    }
    if (operand.type != ZYDIS_OPERAND_TYPE_MEMORY || operand.mem.type != ZYDIS_MEMOP_TYPE_MEM) return true;
    const bool isByRegister = (operand.mem.base != ZYDIS_REGISTER_NONE && operand.mem.base != ZYDIS_REGISTER_RIP &&
                               operand.mem.base != ZYDIS_REGISTER_EIP) ||
                              operand.mem.index != ZYDIS_REGISTER_NONE;
    return !isByRegister && !isStack;
  });
}

class SequenceMaker {
 public:
  SequenceMaker(Case& subject, const Inventory& inventory, const Codec& codec, Random& random)
      : case_(subject), inventory_(inventory), codec_(codec), random_(random) {}

  void make() {
    const std::uint64_t start = case_.state.entry;
    const std::size_t instructions = 2 + random_.below(kMostInstructions - 1);
    // Round the loop comes what the counter's decrement has not defined.
    undefined_ = kStatusFlags & ~kOfDecrement;
    for (std::size_t i = 0; i < instructions; ++i) {
      if (random_.oneIn(5)) {
        addSkipped();
      } else {
        addInstruction();
      }
    }
    undefined_ &= ~kOfDecrement;
    addEnd();
    case_.state.entry = start;
    case_.instruction = {};
    case_.undefinedFlags = undefined_;
  }

 private:
  static constexpr std::uint64_t kStatusFlags = 0x8d5, kOfDecrement = 0x8d4;  // all but CF

  void put(std::span<const std::uint8_t> bytes) {
    case_.program.insert(case_.program.end(), bytes.begin(), bytes.end());
  }

  void addInstruction() {
    while (!tryInstruction()) continue;
  }

  bool tryInstruction() {
    const Inventory::Entry& entry = pickEntry();
    const auto made = codec_.instantiate(random_.pick(entry.forms), random_, Codec::Addressing::withoutRegisters);
    if (!made || made->info.mnemonic != entry.mnemonic || !fits(*made)) return false;
    if (std::holds_alternative<Refusal>(classify(made->info, made->operands().data()))) return false;
    const std::uint64_t tested = made->info.cpu_flags != nullptr ? made->info.cpu_flags->tested : 0;
    if ((tested & undefined_) != 0) return false;
    const std::uint64_t entryBefore = case_.state.entry;
    case_.instruction = *made;
    case_.state.entry = entryBefore;
    const bool hasMemory = std::ranges::any_of(made->operands(), [](const ZydisDecodedOperand& operand) {
      return operand.type == ZYDIS_OPERAND_TYPE_MEMORY && operand.visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN;
    });
    if (hasMemory) {
      Aim aim(case_, random_);
      aim.stayInside();
      if (!aim.allOperands()) return false;
    }
    if (hasUndefinedResult(case_) || (isShiftByCl(case_.instruction) && hasWordOperand())) return false;
    noteFlags();
    fillOperands(case_.state, case_.instruction, random_);
    put(case_.instruction.code());
    case_.state.entry += case_.instruction.info.length;
    return true;
  }

  const Inventory::Entry& pickEntry() {
    const bool hasAvx = case_.seed.family == Family::avx_sequence;
    const auto entries = inventory_.of(hasAvx ? random_.pick(kAvxFamilies) : random_.pick(kFamilies));
    return entries[random_.below(entries.size())];
  }

  // SHLD and SHRD of words by more than 16 have no defined result, and shifts of less than 32 bits no defined carry.
  bool hasWordOperand() const { return case_.instruction.info.operand_width < 32; }

  void noteFlags() {
    const ZydisAccessedFlags* flags = case_.instruction.info.cpu_flags;
    const std::uint64_t written = flags != nullptr ? flags->modified | flags->set_0 | flags->set_1 : 0;
    if (isShiftByCl(case_.instruction)) {
      // The count is not known here: the flags may be kept, or be those of any count.
      for (const UndefinedFlags& row : undefinedFlags())
        if (row.mnemonic == case_.instruction.info.mnemonic) undefined_ |= row.flags;
      return;
    }
    const bool isKept = (case_.instruction.info.meta.category == ZYDIS_CATEGORY_SHIFT ||
                         case_.instruction.info.meta.category == ZYDIS_CATEGORY_ROTATE) &&
                        countOf(case_) == 0;
    if (isKept) return;
    undefined_ = (undefined_ & ~written) | undefinedAfter(case_);
  }

  // A conditional jump over one instruction.
  void addSkipped() {
    static constexpr std::array<std::uint64_t, 8> kTested{0x800, 0x1, 0x40, 0x41, 0x80, 0x4, 0x880, 0x8c0};
    const std::uint64_t condition = random_.below(16);
    if ((kTested[condition / 2] & undefined_) != 0) return addInstruction();
    const std::uint64_t undefinedBefore = undefined_;
    const std::size_t at = case_.program.size();
    put(std::array{static_cast<std::uint8_t>(0x70 | condition), std::uint8_t{0}});
    case_.state.entry += 2;
    addInstruction();
    case_.program[at + 1] = static_cast<std::uint8_t>(case_.program.size() - at - 2);
    undefined_ |= undefinedBefore;
  }

  // dec r15; jnz start; jmp epilogue
  void addEnd() {
    put(std::array<std::uint8_t, 3>{0x49, 0xff, 0xcf});
    const auto back = static_cast<std::uint32_t>(0 - (case_.program.size() + 6));
    put(std::array<std::uint8_t, 2>{0x0f, 0x85});
    put32(back);
    case_.state.entry += 9;
    put(std::array<std::uint8_t, 1>{0xe9});
    put32(static_cast<std::uint32_t>(epilogueAddress() - (case_.state.entry + 5)));
  }

  void put32(std::uint32_t value) {
    std::array<std::uint8_t, 4> bytes;
    std::memcpy(bytes.data(), &value, 4);
    put(bytes);
  }

  Case& case_;
  const Inventory& inventory_;
  const Codec& codec_;
  Random& random_;
  std::uint64_t undefined_ = 0;  // flags that nobody may rely on, at this point of the program
};

// Else most sequences would end at the first instruction that computes with floating point.
void maskExceptions(FxArea& fx) {
  constexpr std::uint32_t kMxcsrMasks = 0x1f80;
  constexpr unsigned kFcwMasks = 0x3f, kSummaryAndBusy = 0x8080;
  fx.mxcsr |= kMxcsrMasks;
  fx.fcw = static_cast<std::uint16_t>(fx.fcw | kFcwMasks);
  fx.fsw = static_cast<std::uint16_t>(fx.fsw & ~kSummaryAndBusy);
}

}  // namespace

void makeSequence(Case& subject, const Inventory& inventory, const Codec& codec,
                  std::span<const std::uint8_t> background, Random& random) {
  subject.program.clear();
  subject.instruction = {};
  fillState(subject, background, random);
  if (!random.oneIn(8)) maskExceptions(subject.state.fx);
  // Across the boundary of the code's pages, often.
  const std::uint64_t offset = random.oneIn(3) ? kPage - random.below(160) : 256 + random.below(kCodeBytes - 1024);
  subject.state.entry = subject.slotStart() + kCodeAt + offset;
  Gprs& gprs = subject.state.gprs;
  gprs[at(Gpr::rsp)] = subject.slotStart() + kStackAt + kStackBytes / 2 + random.below(64) * (random.oneIn(4) ? 1 : 8);
  gprs[at(kCounter)] = 1 + random.below(random.oneIn(4) ? 40 : 4);
  SequenceMaker(subject, inventory, codec, random).make();
}

}  // namespace qm::differ
