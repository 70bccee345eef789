#include "vmm/hypervisor/soft/operations/descriptor_tables.h"

#include <array>
#include <cstring>

#include "vmm/hypervisor/soft/memory/page_walk.h"
#include "vmm/hypervisor/soft/operations/register_or_memory.h"
#include "vmm/hypervisor/soft/system/descriptor.h"

namespace qm::soft {

namespace {

// Of system segments (SDM 3A, table 3-2).
constexpr std::uint8_t kLdt = 0x2, kTss16 = 0x1, kTss = 0x9, kBusy = 0x2;

// CR4.UMIP keeps the tables' places from all but CPL 0 (SDM 3A, 2.5).
bool mayLook(Cpu& cpu) {
  const bool isKept = (cpu.system.cr4 & cr4::kUmip) != 0 && cpu.system.cpl > 0;
  return !isKept || raise(cpu, Exception::generalProtection);
}

bool mayLoad(Cpu& cpu) {
  return cpu.system.cpl == 0 || raise(cpu, Exception::generalProtection);
}

// ---- GDTR, IDTR; `detail`: bytes of the base, or kBase24

constexpr std::uint8_t kBase24 = 3;

template <DescriptorTable SystemState::* table>
Outcome loadTable(Cpu& cpu, const Operation& op) {
  std::uint64_t address = 0, base = 0;
  std::uint16_t limit = 0;
  if (!mayLoad(cpu) || !effectiveAddress<Form::any>(cpu, op, address) || !load(cpu, address, limit))
    return Outcome::stopped;
  const unsigned bytes = op.detail == 8 ? 8 : 4;
  if (!readLongWay(cpu, address + sizeof limit, &base, bytes, Intent::read)) return Outcome::stopped;
  if (op.detail == kBase24) base &= 0xff'ffff;
  if (!isCanonical(base)) {
    raise(cpu, Exception::generalProtection);
    return Outcome::stopped;
  }
  cpu.system.*table = {.base = base, .limit = limit};
  return Outcome::next;
}

template <DescriptorTable SystemState::* table>
bool storeTable(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t address = 0;
  if (!mayLook(cpu) || !effectiveAddress<Form::any>(cpu, op, address)) return false;
  const DescriptorTable& value = cpu.system.*table;
  std::array<std::byte, 10> bytes{};
  std::memcpy(bytes.data(), &value.limit, sizeof value.limit);
  std::memcpy(bytes.data() + sizeof value.limit, &value.base, sizeof value.base);
  return writeLongWay(cpu, address, bytes.data(), sizeof value.limit + op.detail);
}

// ---- LDTR, TR

// The operand of LLDT and LTR. False: stopped.
template <class Where>
bool readSelector(Cpu& cpu, const Operation& op, std::uint16_t& selector) {
  if (!isProtected(cpu)) return raise(cpu, Exception::invalidOpcode);
  return mayLoad(cpu) && Where::read(cpu, op, selector);
}

// The descriptor of a system segment, in the GDT, and its base of 64 bits in IA-32e mode.
bool readSystemSegment(Cpu& cpu, std::uint16_t selector, Descriptor& descriptor, std::uint64_t& base) {
  const bool isLocal = (selector & 4U) != 0;
  if (isLocal) return raise(cpu, Exception::generalProtection, errorCodeOf(selector));
  std::uint64_t upper = 0;
  if (!readDescriptor(cpu, selector, descriptor)) return false;
  if (isLongMode(cpu) && !readUpperHalf(cpu, selector, upper)) return false;
  base = descriptor.base() | upper << 32U;
  return true;
}

// What both loads want of the descriptor: its kind, then that it is present.
bool isLoadable(Cpu& cpu, std::uint16_t selector, const Descriptor& descriptor, std::uint64_t base, bool isRightKind) {
  if (!isRightKind || !isCanonical(base)) return raise(cpu, Exception::generalProtection, errorCodeOf(selector));
  return descriptor.isPresent() || raise(cpu, Exception::segmentNotPresent, errorCodeOf(selector));
}

template <class Where>
Outcome loadLdt(Cpu& cpu, const Operation& op) {
  std::uint16_t selector = 0;
  if (!readSelector<Where>(cpu, op, selector)) return Outcome::stopped;
  if (isNull(selector)) {
    cpu.system.ldt = {.selector = selector, .unusable = true};
    return Outcome::next;
  }
  Descriptor descriptor;
  std::uint64_t base = 0;
  if (!readSystemSegment(cpu, selector, descriptor, base) ||
      !isLoadable(cpu, selector, descriptor, base, descriptor.isSystem() && descriptor.type() == kLdt))
    return Outcome::stopped;
  cpu.system.ldt = segmentOf(selector, descriptor);
  cpu.system.ldt.base = base;
  return Outcome::next;
}

bool isFreeTask(const Cpu& cpu, const Descriptor& descriptor) {
  if (!descriptor.isSystem()) return false;
  return descriptor.type() == kTss || (descriptor.type() == kTss16 && !isLongMode(cpu));
}

// Marks the task busy in the GDT (SDM 2, LTR).
template <class Where>
Outcome loadTask(Cpu& cpu, const Operation& op) {
  std::uint16_t selector = 0;
  if (!readSelector<Where>(cpu, op, selector)) return Outcome::stopped;
  if (isNull(selector)) {
    raise(cpu, Exception::generalProtection);
    return Outcome::stopped;
  }
  Descriptor descriptor;
  std::uint64_t base = 0;
  if (!readSystemSegment(cpu, selector, descriptor, base) ||
      !isLoadable(cpu, selector, descriptor, base, isFreeTask(cpu, descriptor)) ||
      !writeType(cpu, selector, descriptor, descriptor.type() | kBusy))
    return Outcome::stopped;
  cpu.system.tr = segmentOf(selector, descriptor);
  cpu.system.tr.base = base;
  return Outcome::next;
}

bool mayLookAtSelector(Cpu& cpu) {
  if (!isProtected(cpu)) return raise(cpu, Exception::invalidOpcode);
  return mayLook(cpu);
}

template <class T, Segment SystemState::* which>
bool storeSelector(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  if (!mayLookAtSelector(cpu)) return false;
  setReg(cpu, op.to, T{(cpu.system.*which).selector});
  return true;
}

template <Segment SystemState::* which>
bool storeSelectorToMemory(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t address = 0;
  return mayLookAtSelector(cpu) && effectiveAddress<Form::any>(cpu, op, address) &&
         store(cpu, address, (cpu.system.*which).selector);
}

template <Segment SystemState::* which>
constexpr SizeTable kStoreSelector{nullptr, &step<&storeSelector<std::uint16_t, which>>,
                                   &step<&storeSelector<std::uint32_t, which>>,
                                   &step<&storeSelector<std::uint64_t, which>>};

}  // namespace

bool lowerLoadTable(const Instruction& instruction, Emitter& emitter) {
  const bool isGdt = instruction.mnemonic() == ZYDIS_MNEMONIC_LGDT;
  Operation& op = emitter.addMemory(
      isGdt ? anySystemForm<&loadTable<&SystemState::gdt>>() : anySystemForm<&loadTable<&SystemState::idt>>(),
      instruction.operand(0));
  const bool is24 = instruction.codeSize != CodeSize::bits64 && instruction.operandBits() == 16;
  op.detail = instruction.codeSize == CodeSize::bits64 ? 8 : is24 ? kBase24 : 4;
  return true;
}

bool lowerStoreTable(const Instruction& instruction, Emitter& emitter) {
  const bool isGdt = instruction.mnemonic() == ZYDIS_MNEMONIC_SGDT;
  Operation& op =
      emitter.addMemory(isGdt ? anyForm<&storeTable<&SystemState::gdt>>() : anyForm<&storeTable<&SystemState::idt>>(),
                        instruction.operand(0));
  op.detail = instruction.codeSize == CodeSize::bits64 ? 8 : 4;
  return true;
}

bool lowerLoadSystemSegment(const Instruction& instruction, Emitter& emitter) {
  const Operand& from = instruction.operand(0);
  if (instruction.mnemonic() == ZYDIS_MNEMONIC_LLDT) {
    addWithSource(emitter, from, &system<&loadLdt<InRegister>>, &system<&loadLdt<InMemory>>);
  } else {
    addWithSource(emitter, from, &system<&loadTask<InRegister>>, &system<&loadTask<InMemory>>);
  }
  return true;
}

bool lowerStoreSystemSegment(const Instruction& instruction, Emitter& emitter) {
  const Operand& to = instruction.operand(0);
  if (instruction.mnemonic() == ZYDIS_MNEMONIC_SLDT) {
    addWithDestination(emitter, to, kStoreSelector<&SystemState::ldt>[sizeIndex(to.size)],
                       &step<&storeSelectorToMemory<&SystemState::ldt>>);
  } else {
    addWithDestination(emitter, to, kStoreSelector<&SystemState::tr>[sizeIndex(to.size)],
                       &step<&storeSelectorToMemory<&SystemState::tr>>);
  }
  return true;
}

}  // namespace qm::soft
