#include "vmm/hypervisor/soft/blocks/block_builder.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "vmm/hypervisor/soft/blocks/block_cache.h"
#include "vmm/hypervisor/soft/cpu/handler.h"
#include "vmm/hypervisor/soft/decode/lowering.h"
#include "vmm/hypervisor/soft/memory/code_watch.h"
#include "vmm/hypervisor/soft/memory/page_walk.h"
#include "vmm/hypervisor/soft/operations/branch.h"

namespace qm::soft {

namespace {

constexpr std::size_t kLongestInstruction = 15;

// ---- operations of the block's own frame

Outcome refuseInvalid(Cpu& cpu, const Operation& /*op*/) {
  raise(cpu, Exception::invalidOpcode);
  return Outcome::stopped;
}

Outcome refuseTooLong(Cpu& cpu, const Operation& /*op*/) {
  raise(cpu, Exception::generalProtection);
  return Outcome::stopped;
}

Outcome refuseUnmodelled(Cpu& cpu, const Operation& op) {
  cpu.blocks->countUnmodelled(op.mnemonic, addressOf(cpu, op));
  raise(cpu, Exception::invalidOpcode);
  return Outcome::stopped;
}

Outcome refuseUnit(Cpu& cpu, const Operation& /*op*/) {
  raise(cpu, Exception::deviceNotAvailable);
  return Outcome::stopped;
}

std::uint64_t linearBase(const Cpu& cpu) {
  return cpu.system.codeSize == CodeSize::bits64 ? 0
                                                 : cpu.system.segments[static_cast<std::size_t>(SegmentName::cs)].base;
}

// The second page of an instruction that lies in two is still the one that was decoded.
bool secondPageIsTheSame(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  const std::uint64_t linear = ((cpu.gpr[kBlockRip] + linearBase(cpu)) & kPageMask) + kPageBytes;
  const CodeTlb::Entry* page = codePage(cpu, linear);
  if (page == nullptr) return false;
  if (page->physicalPage == op.immediate) return true;
  cpu.blocks->forgetPage(op.immediate);
  cpu.stop = Stop::attention;  // the loop looks up what is there
  return false;
}

const Operation* endOfStep(Cpu& cpu, const Operation* op, Flags& /*flags*/) {
  cpu.gpr[kBlockRip] = addressOf(cpu, *op);
  return cpu.blocks->next(cpu);
}

// ---- which unit an instruction needs

UnitState unitFor(const Cpu& cpu, const Instruction& instruction) {
  const SystemState& system = cpu.system;
  // FWAIT asks CR0 itself, by another rule (operations/x87_control.cpp).
  if (instruction.raw.meta.isa_ext == ZYDIS_ISA_EXT_X87)
    return instruction.mnemonic() == ZYDIS_MNEMONIC_FWAIT ? UnitState::open : system.x87Unit;
  if (isVexOfVectors(instruction)) return system.vexUnit;
  UnitState state = UnitState::open;
  if (usesVectorUnit(instruction)) state = std::max(state, system.vectorUnit);
  if (namesRegister(instruction, ZYDIS_REGCLASS_MMX) || instruction.mnemonic() == ZYDIS_MNEMONIC_EMMS)
    state = std::max(state, system.mmxUnit);
  return state;
}

void lowerOne(Cpu& cpu, const Instruction& instruction, Emitter& emitter) {
  switch (unitFor(cpu, instruction)) {
    case UnitState::open:
      break;
    case UnitState::notAvailable:
      emitter.addEnd(&system<refuseUnit>);
      return;
    case UnitState::invalid:
      emitter.addEnd(&system<refuseInvalid>);
      return;
  }
  const Lower lower = loweringFor(instruction);
  const std::size_t before = emitter.operations();
  if (lower != nullptr && lower(instruction, emitter)) return;
  emitter.takeBackTo(before);
  emitter.addEnd(&system<refuseUnmodelled>);
}

void lowerFailure(DecodeFailure failure, Emitter& emitter) {
  emitter.addEnd(failure == DecodeFailure::tooLong ? &system<refuseTooLong> : &system<refuseInvalid>);
}

// One instruction that begins in `place`'s page and reaches into the next.
BuiltBlock buildCrossing(Cpu& cpu, const CodePlace& place, BlockLength length, Emitter& emitter) {
  const CodeTlb::Entry first = place.page;
  const CodeTlb::Entry* second = codePage(cpu, (place.linear & kPageMask) + kPageBytes);
  if (second == nullptr) return {};
  std::array<std::byte, kLongestInstruction> bytes{};
  const std::size_t offset = place.linear & ~kPageMask, here = std::min(kPageBytes - offset, bytes.size());
  std::memcpy(bytes.data(), first.host + offset, here);
  std::memcpy(bytes.data() + here, second->host, bytes.size() - here);
  Instruction instruction;
  const DecodeFailure failure = decode(bytes, cpu.system.codeSize, instruction);
  emitter.begin(instruction, 0);
  if (length == BlockLength::straightLine) emitter.add(&step<secondPageIsTheSame>).immediate = second->physicalPage;
  if (failure == DecodeFailure::none) {
    lowerOne(cpu, instruction, emitter);
  } else {
    lowerFailure(failure == DecodeFailure::tooFewBytes ? DecodeFailure::tooLong : failure, emitter);
  }
  return {.instructions = 1, .secondPage = second->physicalPage};
}

}  // namespace

namespace {

// By a walk, and into the table.
const CodeTlb::Entry* findCodePage(Cpu& cpu, std::uint64_t linear) {
  if (!isCanonical(linear)) {
    raise(cpu, Exception::generalProtection);
    return nullptr;
  }
  const auto translation = translate(cpu, linear, Use::fetch, isUser(cpu) ? Privilege::user : Privilege::kernel);
  if (!translation) {
    cpu.stop = Stop::exception;
    cpu.fault = translation.error();
    return nullptr;
  }
  const std::uint64_t physicalPage = translation->physical & kPageMask;
  const PhysicalMemory::Slot* slot = cpu.around.memory.find(physicalPage);
  if (slot == nullptr) {  // instructions out of a device: nobody's
    raise(cpu, Exception::invalidOpcode);
    return nullptr;
  }
  return cpu.codeTlbs[isUser(cpu) ? 1 : 0].fill({.page = linear & kPageMask,
                                                 .physicalPage = physicalPage,
                                                 .host = slot->page(physicalPage),
                                                 .lifetime = translation->lifetime,
                                                 .size = translation->size});
}

}  // namespace

const CodeTlb::Entry* codePage(Cpu& cpu, std::uint64_t linear) {
  PhysicalMemory& memory = cpu.around.memory;
  for (;;) {
    const std::uint64_t generation = memory.generation();
    const CodeTlb::Entry* entry = cpu.codeTlbs[isUser(cpu) ? 1 : 0].find(linear);
    if (entry == nullptr) entry = findCodePage(cpu, linear);
    if (entry == nullptr) return nullptr;
    // Nobody watches a page any more once it was written. Watching may wait for another thread's change of the slots.
    if (PhysicalMemory::Slot* slot = memory.find(entry->physicalPage))
      cpu.around.code.watch(*slot, entry->physicalPage);
    if (generation == memory.generation()) return entry;
  }
}

BuiltBlock buildBlock(Cpu& cpu, const CodePlace& place, BlockLength length, std::span<Operation> room) {
  Emitter emitter(room.first(room.size() - 1));
  BuiltBlock built;
  const std::span<const std::byte> page(place.page.host, kPageBytes);
  const std::size_t start = place.linear & ~kPageMask;
  std::size_t offset = start;
  const std::size_t most = length == BlockLength::oneInstruction ? 1 : kMostInstructions;
  Instruction instruction;
  while (!emitter.hasEnded() && built.instructions < most && emitter.hasRoom() && offset < kPageBytes) {
    // Copied, for the guest may change it while it is read.
    std::array<std::byte, kLongestInstruction> bytes{};
    const std::size_t available = std::min(bytes.size(), kPageBytes - offset);
    std::memcpy(bytes.data(), page.data() + offset, available);
    const DecodeFailure failure = decode(std::span(bytes).first(available), cpu.system.codeSize, instruction);
    if (failure == DecodeFailure::tooFewBytes) {
      if (built.instructions > 0) break;  // a block of its own
      built = buildCrossing(cpu, place, length, emitter);
      if (built.instructions == 0) return {};
      offset += instruction.raw.length;
      break;
    }
    emitter.begin(instruction, static_cast<std::uint16_t>(offset - start));
    if (failure == DecodeFailure::none) {
      lowerOne(cpu, instruction, emitter);
      offset += instruction.raw.length;
    } else {
      lowerFailure(failure, emitter);
    }
    ++built.instructions;
  }
  if (!emitter.hasEnded() && length == BlockLength::straightLine) {
    emitter.addFallThrough(&blockEnd<fallThrough>);
  } else if (length == BlockLength::oneInstruction) {
    emitter.addFallThrough(&blockEnd<endOfStep>);
  }
  emitter.quietDeadFlags();
  emitter.markLinks(start);
  built.operations = emitter.operations();
  built.bytes = offset - start;
  built.hasLinks = emitter.hasLinks();
  return built;
}

}  // namespace qm::soft
