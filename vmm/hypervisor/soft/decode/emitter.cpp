#include "vmm/hypervisor/soft/decode/emitter.h"

#include "vmm/result/check.h"

namespace qm::soft {

void Emitter::begin(const Instruction& instruction, std::uint16_t offset) {
  instruction_ = &instruction;
  length_ = instruction.raw.length;
  mnemonic_ = static_cast<std::uint16_t>(instruction.raw.mnemonic);
  offset_ = offset;
  ++instructions_;
}

Operation& Emitter::add(Handler handler) {
  CHECK(count_ < room_.size());
  flagUse_[count_] = {};
  Operation& operation = room_[count_++];
  operation = {};
  operation.handler = handlerDistance(handler);
  operation.length = length_;
  operation.offset = offset_;
  operation.ordinal = static_cast<std::uint8_t>(instructions_ - 1);
  operation.mnemonic = mnemonic_;
  return operation;
}

Operation& Emitter::addEnd(Handler handler) {
  hasEnded_ = true;
  return add(handler);
}

void Emitter::addFallThrough(Handler handler) {
  Operation& operation = add(handler);
  operation.offset = static_cast<std::uint16_t>(offset_ + length_);
  operation.length = 0;
  // It is no instruction: a block's end counts the ordinal and one.
  operation.displacement = operation.offset;
  hasLinks_ = true;
}

void Emitter::markLinks(std::size_t startInPage) {
  Operation& end = room_[count_ - 1];
  const auto isNear = [startInPage](std::int64_t target) {
    const std::int64_t inPage = static_cast<std::int64_t>(startInPage) + target;
    return inPage >= 0 && inPage < static_cast<std::int64_t>(kPageBytes);
  };
  if (!hasLinks_) return;
  end.third =
      static_cast<std::uint8_t>((isNear(end.offset + end.length) ? 1U : 0U) | (isNear(end.displacement) ? 2U : 0U));
}

Form Emitter::formOf(const Operation& operation) {
  switch (operation.addressing) {
    case Addressing::base:
      return Form::base;
    case Addressing::indexed:
      return Form::indexed;
    default:
      return Form::any;
  }
}

void Emitter::setFlagRole(FlagRole role, Handler quiet) {
  flagUse_[count_ - 1] = {.role = role, .quiet = quiet != nullptr ? handlerDistance(quiet) : 0};
}

// Backwards: `live` tells whether somebody after this place sees the flags before they are written anew. What comes
// after the block may look at them.
void Emitter::quietDeadFlags() {
  bool live = true;
  for (std::size_t i = count_; i-- > 0;) {
    const FlagUse& use = flagUse_[i];
    if (!live && use.quiet != 0) room_[i].handler = use.quiet;
    switch (use.role) {
      case FlagRole::barrier:
      case FlagRole::reads:
        live = true;
        break;
      case FlagRole::overwrites:
        live = false;
        break;
      case FlagRole::neutral:
      case FlagRole::merges:
        break;
    }
  }
}

void Emitter::takeBackTo(std::size_t operations) {
  count_ = operations;
  hasEnded_ = hasLinks_ = false;
}

Operation& Emitter::addBranch(Handler handler, std::int32_t target) {
  Operation& operation = addEnd(handler);
  operation.displacement = target;
  hasLinks_ = true;
  return operation;
}

Operation& Emitter::addMemory(const std::array<Handler, 3>& byForm, const Operand& memory) {
  Operation& operation = add(byForm[0]);
  setAddress(operation, memory);
  operation.handler = handlerDistance(byForm[static_cast<std::size_t>(formOf(operation))]);
  return operation;
}

Operation& Emitter::addMemoryEnd(const std::array<Handler, 3>& byForm, const Operand& memory) {
  hasEnded_ = true;
  return addMemory(byForm, memory);
}

// In 64-bit mode an override to ES, CS, SS or DS is ignored, and what is based on the stack's registers is the stack's
// (SDM 1, 3.7.4), which decides the exception of a bad address.
SegmentName Emitter::addressedSegment(ZydisRegister told, std::uint8_t base) const {
  const SegmentName name = segmentName(told);
  if (instruction_->codeSize != CodeSize::bits64 || name == SegmentName::fs || name == SegmentName::gs) return name;
  constexpr std::uint8_t kRsp = 4, kRbp = 5;
  return base == kRsp || base == kRbp ? SegmentName::ss : SegmentName::ds;
}

void Emitter::setAddress(Operation& operation, const Operand& operand) const {
  const auto& memory = operand.mem;
  operation.base = addressRegister(memory.base);
  operation.index = addressRegister(memory.index);
  switch (memory.scale) {
    case 2:
      operation.scale = 1;
      break;
    case 4:
      operation.scale = 2;
      break;
    case 8:
      operation.scale = 3;
      break;
    default:
      operation.scale = 0;
  }
  operation.segment = addressedSegment(memory.segment, operation.base);
  operation.addressBytes = static_cast<std::uint8_t>(instruction_->addressBits() / 8);
  const std::int64_t told = memory.disp.has_displacement ? memory.disp.value : 0;
  // rip counts from the next instruction, kBlockRip from the block's first.
  const std::int64_t displacement = operation.base == kBlockRip ? told + offset_ + length_ : told;
  operation.displacement = static_cast<std::int32_t>(displacement);
  const bool fits = operation.displacement == displacement;
  const bool isFlat = instruction_->codeSize == CodeSize::bits64 && operation.addressBytes == 8;
  if (!fits && operation.base == kBlockRip) {
    operation.addressing = Addressing::farRip;
    operation.displacement = static_cast<std::int32_t>(told);
  } else if (!fits) {
    operation.addressing = Addressing::wide;
    operation.displacement = 0;
    operation.immediate = static_cast<std::uint64_t>(displacement);
  } else if (!isFlat) {
    operation.addressing = Addressing::legacy;
  } else if (operation.segment == SegmentName::fs || operation.segment == SegmentName::gs) {
    operation.addressing = Addressing::segment;
  } else {
    operation.addressing = operation.index == kNoRegister ? Addressing::base : Addressing::indexed;
  }
}

}  // namespace qm::soft
