#include "vmm/hypervisor/soft/operations/segment_query.h"

#include "vmm/hypervisor/soft/operations/register_or_memory.h"
#include "vmm/hypervisor/soft/system/descriptor.h"

namespace qm::soft {

namespace {

enum class Look : std::uint8_t { stopped, nothing, found };

// The descriptor, where the selector names one that the current privilege may see.
template <class Where>
Look look(Cpu& cpu, const Operation& op, std::uint16_t& selector, Descriptor& descriptor) {
  if (!isProtected(cpu)) raise(cpu, Exception::invalidOpcode);
  if (!isProtected(cpu) || !Where::read(cpu, op, selector)) return Look::stopped;
  if (isNull(selector) || !isWithinTable(cpu, selector, sizeof descriptor.raw)) return Look::nothing;
  if (!readDescriptor(cpu, selector, descriptor)) return Look::stopped;
  const bool isSeen =
      descriptor.isConforming() || (descriptor.dpl() >= cpu.system.cpl && descriptor.dpl() >= rplOf(selector));
  return isSeen ? Look::found : Look::nothing;
}

enum class Question : std::uint8_t { rights, limit };

// Tables 3-53 and 3-56 of SDM 2.
bool answers(const Cpu& cpu, Question question, std::uint16_t selector, const Descriptor& descriptor) {
  if (!descriptor.isSystem()) return true;
  switch (descriptor.type()) {
    case 0x1:  // 16-bit TSS
    case 0x3:
      return !isLongMode(cpu);
    case 0x4:  // 16-bit call gate, task gate
    case 0x5:
      return question == Question::rights && !isLongMode(cpu);
    case 0x2:  // LDT, TSS
    case 0x9:
    case 0xb:
      return !isLongMode(cpu) || isWithinTable(cpu, selector, 16);
    case 0xc:  // call gate
      return question == Question::rights && (!isLongMode(cpu) || isWithinTable(cpu, selector, 16));
    default:
      return false;
  }
}

template <class Where, Question question, class T>
bool lookAtSegment(Cpu& cpu, const Operation& op, Flags& flags) {
  constexpr std::uint32_t kRights = 0x00f0'ff00;
  std::uint16_t selector = 0;
  Descriptor descriptor;
  const Look found = look<Where>(cpu, op, selector, descriptor);
  if (found == Look::stopped) return false;
  flags &= ~kZero;
  if (found == Look::nothing || !answers(cpu, question, selector, descriptor)) return true;
  flags |= kZero;
  const std::uint32_t answer =
      question == Question::limit ? descriptor.limit() : static_cast<std::uint32_t>(descriptor.raw >> 32U) & kRights;
  setReg(cpu, op.to, static_cast<T>(answer));
  return true;
}

enum class Access : std::uint8_t { read, write };

template <class Where, Access access>
bool verify(Cpu& cpu, const Operation& op, Flags& flags) {
  std::uint16_t selector = 0;
  Descriptor descriptor;
  const Look found = look<Where>(cpu, op, selector, descriptor);
  if (found == Look::stopped) return false;
  const bool is = found == Look::found && (access == Access::read ? descriptor.isReadable() : descriptor.isWritable());
  flags = (flags & ~kZero) | (is ? kZero : 0);
  return true;
}

template <Question question, class T>
Operation& addLook(Emitter& emitter, const Operand& from) {
  return addWithSource(emitter, from, &step<&lookAtSegment<InRegister, question, T>>,
                       &step<&lookAtSegment<InMemory, question, T>>);
}

template <Question question>
bool lowerLook(const Instruction& instruction, Emitter& emitter) {
  const Operand& to = instruction.operand(0);
  const Operand& from = instruction.operand(1);
  Operation& op = to.size == 16   ? addLook<question, std::uint16_t>(emitter, from)
                  : to.size == 32 ? addLook<question, std::uint32_t>(emitter, from)
                                  : addLook<question, std::uint64_t>(emitter, from);
  op.to = registerPlace(to.reg.value);
  return true;
}

template <Access access>
bool lowerVerifyOf(const Instruction& instruction, Emitter& emitter) {
  addWithSource(emitter, instruction.operand(0), &step<&verify<InRegister, access>>, &step<&verify<InMemory, access>>);
  return true;
}

}  // namespace

bool lowerLar(const Instruction& instruction, Emitter& emitter) {
  return lowerLook<Question::rights>(instruction, emitter);
}

bool lowerLsl(const Instruction& instruction, Emitter& emitter) {
  return lowerLook<Question::limit>(instruction, emitter);
}

bool lowerVerr(const Instruction& instruction, Emitter& emitter) {
  return lowerVerifyOf<Access::read>(instruction, emitter);
}

bool lowerVerw(const Instruction& instruction, Emitter& emitter) {
  return lowerVerifyOf<Access::write>(instruction, emitter);
}

}  // namespace qm::soft
