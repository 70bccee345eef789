#include "vmm/hypervisor/soft/operations/port_io.h"

#include <algorithm>
#include <span>

#include "vmm/hypervisor/soft/operations/operand.h"
#include "vmm/hypervisor/soft/operations/register_place.h"
#include "vmm/hypervisor/soft/system/port_access.h"

namespace qm::soft {

namespace {

constexpr std::uint8_t kPortInDx = 0xff;  // `from`: else the port is `immediate`

std::uint16_t portOf(const Cpu& cpu, const Operation& op) {
  return op.from == kPortInDx ? reg<std::uint16_t>(cpu, place::kRdx) : static_cast<std::uint16_t>(op.immediate);
}

// ---- IN, OUT

template <class T>
Outcome in(Cpu& cpu, const Operation& op) {
  const std::uint16_t port = portOf(cpu, op);
  std::uint32_t value = 0;
  if (!mayUsePort(cpu, port, sizeof(T)) || !readPort(cpu, port, sizeof(T), value)) return Outcome::stopped;
  setReg(cpu, place::kRax, static_cast<T>(value));
  return Outcome::next;
}

template <class T>
Outcome out(Cpu& cpu, const Operation& op) {
  const std::uint16_t port = portOf(cpu, op);
  if (!mayUsePort(cpu, port, sizeof(T)) || !writePort(cpu, port, sizeof(T), reg<T>(cpu, place::kRax)))
    return Outcome::stopped;
  return Outcome::next;
}

// ---- INS, OUTS; one element at a time, each an instruction of its own to interrupts and faults (SDM 2, REP)

enum class Repeat : std::uint8_t { none, byRcx };

// A register as wide as the address size (SDM 1, 3.7.5). Written as registers of that width are.
std::uint64_t indexOf(const Cpu& cpu, const Operation& op, std::uint8_t place) {
  const auto value = reg<std::uint64_t>(cpu, place);
  return op.addressBytes == 8 ? value : op.addressBytes == 4 ? value & 0xffff'ffff : value & 0xffff;
}

void setIndex(Cpu& cpu, const Operation& op, std::uint8_t place, std::uint64_t value) {
  switch (op.addressBytes) {
    case 2:
      return setReg(cpu, place, static_cast<std::uint16_t>(value));
    case 4:
      return setReg(cpu, place, static_cast<std::uint32_t>(value));
    default:
      return setReg(cpu, place, value);
  }
}

// An element is done: on to the next, if there is one.
Outcome advance(Cpu& cpu, const Operation& op, std::uint8_t pointer, unsigned bytes) {
  const std::uint64_t step = (cpu.rflags & rflags::kDf) != 0 ? ~std::uint64_t{bytes} + 1 : bytes;
  setIndex(cpu, op, pointer, indexOf(cpu, op, pointer) + step);
  if (static_cast<Repeat>(op.detail) == Repeat::none) return Outcome::next;
  const std::uint64_t left = indexOf(cpu, op, place::kRcx) - 1;
  setIndex(cpu, op, place::kRcx, left);
  cpu.rip = left == 0 ? addressAfter(cpu, op) : addressOf(cpu, op);
  return Outcome::elsewhere;
}

bool hasElement(const Cpu& cpu, const Operation& op) {
  return static_cast<Repeat>(op.detail) == Repeat::none || indexOf(cpu, op, place::kRcx) != 0;
}

Outcome passOver(Cpu& cpu, const Operation& op) {
  cpu.rip = addressAfter(cpu, op);
  return Outcome::elsewhere;
}

// Whether the port may be read: where the element would fault it is not (SDM 2, INS), and what is begun again by
// itself is so before.
bool hasPlace(Cpu& cpu, std::uint64_t address, unsigned bytes) {
  const Writability there = probeWrite(cpu, address, bytes);
  if (there == Writability::special && !cpu.stepping) return askToBeAlone(cpu);
  return there != Writability::stopped;
}

template <class T>
Outcome inString(Cpu& cpu, const Operation& op) {
  if (!hasElement(cpu, op)) return passOver(cpu, op);
  const std::uint16_t port = portOf(cpu, op);
  std::uint64_t address = 0;
  std::uint32_t value = 0;
  if (!mayUsePort(cpu, port, sizeof(T)) || !effectiveAddress<Form::any>(cpu, op, address) ||
      !hasPlace(cpu, address, sizeof(T)) || !readPort(cpu, port, sizeof(T), value) ||
      !store(cpu, address, static_cast<T>(value)))
    return Outcome::stopped;
  return advance(cpu, op, place::kRdi, sizeof(T));
}

template <class T>
Outcome outString(Cpu& cpu, const Operation& op) {
  if (!hasElement(cpu, op)) return passOver(cpu, op);
  const std::uint16_t port = portOf(cpu, op);
  std::uint64_t address = 0;
  T value = 0;
  if (!mayUsePort(cpu, port, sizeof(T)) || !effectiveAddress<Form::any>(cpu, op, address) ||
      !load(cpu, address, value) || !writePort(cpu, port, sizeof(T), value))
    return Outcome::stopped;
  return advance(cpu, op, place::kRsi, sizeof(T));
}

// ---- lowering

// By log2 of the bytes.
using PortTable = std::array<Handler, 3>;

bool lowerPort(Emitter& emitter, const PortTable& handlers, const Operand& data, const Operand& port) {
  Operation& op = emitter.add(handlers[sizeIndex(data.size)]);
  op.from = isRegister(port) ? kPortInDx : 0;
  if (isImmediate(port)) op.immediate = port.imm.value.u & 0xff;
  return true;
}

bool lowerIn(const Instruction& instruction, Emitter& emitter) {
  static constexpr PortTable kIn{&system<&in<std::uint8_t>>, &system<&in<std::uint16_t>>, &system<&in<std::uint32_t>>};
  return lowerPort(emitter, kIn, instruction.operand(0), instruction.operand(1));
}

bool lowerOut(const Instruction& instruction, Emitter& emitter) {
  static constexpr PortTable kOut{&system<&out<std::uint8_t>>, &system<&out<std::uint16_t>>,
                                  &system<&out<std::uint32_t>>};
  return lowerPort(emitter, kOut, instruction.operand(1), instruction.operand(0));
}

// The memory operand is one that the mnemonic implies.
bool lowerString(const Instruction& instruction, Emitter& emitter, Handler handler) {
  const auto operands = std::span(instruction.operands).first(instruction.raw.operand_count);
  const auto memory = std::ranges::find_if(operands, isMemory);
  if (memory == operands.end()) return false;
  const bool repeats = instruction.has(ZYDIS_ATTRIB_HAS_REP) || instruction.has(ZYDIS_ATTRIB_HAS_REPNE);
  Operation& op = repeats ? emitter.addMemoryEnd({handler, handler, handler}, *memory)
                          : emitter.addMemory({handler, handler, handler}, *memory);
  op.from = kPortInDx;
  op.detail = static_cast<std::uint8_t>(repeats ? Repeat::byRcx : Repeat::none);
  return true;
}

template <Handler handler>
bool lowerStringOf(const Instruction& instruction, Emitter& emitter) {
  return lowerString(instruction, emitter, handler);
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_IN, &lowerIn},
    Lowering{ZYDIS_MNEMONIC_OUT, &lowerOut},
    Lowering{ZYDIS_MNEMONIC_INSB, &lowerStringOf<&system<&inString<std::uint8_t>>>},
    Lowering{ZYDIS_MNEMONIC_INSW, &lowerStringOf<&system<&inString<std::uint16_t>>>},
    Lowering{ZYDIS_MNEMONIC_INSD, &lowerStringOf<&system<&inString<std::uint32_t>>>},
    Lowering{ZYDIS_MNEMONIC_OUTSB, &lowerStringOf<&system<&outString<std::uint8_t>>>},
    Lowering{ZYDIS_MNEMONIC_OUTSW, &lowerStringOf<&system<&outString<std::uint16_t>>>},
    Lowering{ZYDIS_MNEMONIC_OUTSD, &lowerStringOf<&system<&outString<std::uint32_t>>>},
};

}  // namespace

std::span<const Lowering> portIoLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
