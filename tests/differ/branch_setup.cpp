#include "tests/differ/branch_setup.h"

#include <array>

namespace qm::differ {

namespace {

constexpr std::uint64_t kTailBytes = 8;  // the instruction's last jump lies behind it (slot_image.h)

// An address in the code that is neither in the instruction nor in what follows it; seldom one that faults.
std::uint64_t chooseLanding(const Case& subject, Random& random) {
  const std::uint64_t code = subject.slotStart() + kCodeAt;
  if (random.oneIn(64)) return code + kCodeBytes + random.below(kPage);  // nothing there
  // Not canonical: #GP. Of a call, Intel's CPUs push before they look, the SDM after (2A, CALL): left out.
  if (subject.instruction.info.meta.category != ZYDIS_CATEGORY_CALL && random.oneIn(96)) return 0x4000'0000'0000'0000;
  for (;;) {
    const std::uint64_t landing = code + random.below(kCodeBytes);
    const std::uint64_t fromEntry = landing - subject.state.entry;
    if (fromEntry >= subject.instruction.info.length + kTailBytes) return landing;
  }
}

bool setUpRelative(Case& subject, Random& random) {
  const auto& field = subject.instruction.info.raw.imm[0];
  const std::uint64_t next = subject.state.entry + subject.instruction.info.length;
  if (field.size == 8) {
    const std::uint64_t forward = kTailBytes + random.below(128 - kTailBytes);
    const std::uint64_t backward = 0 - subject.instruction.info.length - 1 - random.below(64);
    patch(subject.instruction, field.offset, 8, random.oneIn(2) ? forward : backward);
    return true;
  }
  const std::uint64_t landing = chooseLanding(subject, random);
  if (field.size != 32 || landing > 0xffff'ffffU) return false;
  patch(subject.instruction, field.offset, 32, landing - next);
  return true;
}

// False where a part of the pointer would lie in what the case cannot write: it would lead anywhere.
bool layLanding(Case& subject, std::uint64_t pointer, std::uint64_t landing) {
  const std::uint64_t readOnly = subject.slotStart() + kReadOnlyAt;
  if (pointer + 8 > readOnly && pointer < readOnly + kPage) return false;
  poke64(subject, pointer, landing);
  return true;
}

bool isReturn(const ZydisDecodedInstruction& info) {
  return info.meta.category == ZYDIS_CATEGORY_RET;
}

}  // namespace

bool setUpBranch(Case& subject, Aim& aim, Random& random) {
  const ZydisDecodedInstruction& info = subject.instruction.info;
  if (subject.instruction.has(ZYDIS_ATTRIB_IS_RELATIVE) && info.raw.imm[0].is_relative != 0) {
    const bool counts = info.mnemonic != ZYDIS_MNEMONIC_CALL && random.oneIn(2);
    if (counts) subject.state.gprs[at(Gpr::rcx)] = random.below(3) | (random.next() << (random.oneIn(2) ? 32U : 63U));
    return aim.allOperands() && setUpRelative(subject, random);
  }
  const std::uint64_t landing = chooseLanding(subject, random);
  const ZydisDecodedOperand& target = subject.instruction.operands()[0];
  const bool byRegister = !isReturn(info) && target.type == ZYDIS_OPERAND_TYPE_REGISTER;
  if (byRegister && !aim.pin(*gprOf(target.reg.value), landing)) return false;
  if (!aim.allOperands()) return false;
  if (isReturn(info)) {
    poke64(subject, subject.state.gprs[at(Gpr::rsp)], landing);
    return true;
  }
  return byRegister || (aim.target() && layLanding(subject, *aim.target(), landing));
}

}  // namespace qm::differ
