#include "vmm/hypervisor/soft/operations/hint.h"

#include <thread>

#include "vmm/hypervisor/soft/memory/page_walk.h"
#include "vmm/hypervisor/soft/operations/register_or_memory.h"
#include "vmm/hypervisor/soft/operations/register_place.h"
#include "vmm/hypervisor/soft/system/random.h"

namespace qm::soft {

namespace {

// No operation at all: the instruction counts, and costs nothing.
bool lowerNothing(const Instruction& /*instruction*/, Emitter& /*emitter*/) {
  return true;
}

// ---- PAUSE: a guest that waits for another of its processors, or for a device, lets the host's threads have their
// turn, the ones that it waits for among them. Not each time: asking the scheduler costs a microsecond, and most waits
// are short.

bool pause(Cpu& cpu, const Operation& /*op*/, Flags& /*flags*/) {
  constexpr std::uint32_t kBetween = 64;
  if (++cpu.pauses < kBetween) return true;
  cpu.pauses = 0;
  std::this_thread::yield();
  return true;
}

// ---- CLFLUSH and its kin: a load's faults, but no access: a device is not asked

bool flushLine(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t address = 0;
  if (!effectiveAddress<Form::any>(cpu, op, address)) return false;
  if (readableBytes(cpu, address, 1) != nullptr) return true;
  cpu.stop = Stop::exception;
  if (!isCanonical(address)) {
    cpu.fault = {.exception = Exception::generalProtection, .isAddress = true};
    return false;
  }
  const auto translation = translate(cpu, address, Use::read, cpu.privilege);
  if (!translation) {
    cpu.fault = translation.error();
    return false;
  }
  cpu.stop = Stop::none;
  return true;
}

bool lowerFlushLine(const Instruction& instruction, Emitter& emitter) {
  emitter.addMemory(anyForm<&flushLine>(), instruction.operand(0));
  return true;
}

// ---- fences: the guest's loads and stores are the host's, so its fences are, too

bool fenceAll(Cpu& /*cpu*/, const Operation& /*op*/, Flags& /*flags*/) {
  asm volatile("mfence" : : : "memory");
  return true;
}

bool fenceStores(Cpu& /*cpu*/, const Operation& /*op*/, Flags& /*flags*/) {
  asm volatile("sfence" : : : "memory");
  return true;
}

// ---- RDRAND, RDSEED: CF tells that there was a number, which there always is; the others are cleared

template <class T>
struct GiveRandom {
  static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
    setReg<T>(cpu, op.to, static_cast<T>(randomNumber(cpu)));
    flags = kCarry;
    return true;
  }
};

bool lowerRandom(const Instruction& instruction, Emitter& emitter) {
  static constexpr SizeTable kHandlers = byWordSize<GiveRandom>();
  const Operand& to = instruction.operand(0);
  emitter.add(kHandlers[sizeIndex(to.size)]).to = registerPlace(to.reg.value);
  return true;
}

// ---- XLAT: al indexes the table at rbx

bool lookUp(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  Operation entry = op;
  entry.displacement = reg<std::uint8_t>(cpu, place::kAl);
  std::uint64_t address = 0;
  std::uint8_t value = 0;
  if (!effectiveAddress<Form::any>(cpu, entry, address) || !load(cpu, address, value)) return false;
  setReg(cpu, place::kAl, value);
  return true;
}

bool lowerLookUp(const Instruction& instruction, Emitter& emitter) {
  emitter.addMemory(anyForm<&lookUp>(), instruction.operand(0));
  return true;
}

template <auto body>
bool lowerPlain(const Instruction& /*instruction*/, Emitter& emitter) {
  emitter.add(&step<body>);
  return true;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_NOP, &lowerNothing},
    Lowering{ZYDIS_MNEMONIC_PAUSE, &lowerPlain<&pause>},
    Lowering{ZYDIS_MNEMONIC_LFENCE, &lowerNothing},
    Lowering{ZYDIS_MNEMONIC_PREFETCH, &lowerNothing},
    Lowering{ZYDIS_MNEMONIC_PREFETCHNTA, &lowerNothing},
    Lowering{ZYDIS_MNEMONIC_PREFETCHT0, &lowerNothing},
    Lowering{ZYDIS_MNEMONIC_PREFETCHT1, &lowerNothing},
    Lowering{ZYDIS_MNEMONIC_PREFETCHT2, &lowerNothing},
    Lowering{ZYDIS_MNEMONIC_PREFETCHW, &lowerNothing},
    Lowering{ZYDIS_MNEMONIC_PREFETCHWT1, &lowerNothing},
    Lowering{ZYDIS_MNEMONIC_CLDEMOTE, &lowerNothing},
    // In the space of hints: what CET and MPX make of it is nothing where they are not offered.
    Lowering{ZYDIS_MNEMONIC_ENDBR32, &lowerNothing},
    Lowering{ZYDIS_MNEMONIC_ENDBR64, &lowerNothing},
    Lowering{ZYDIS_MNEMONIC_RDSSPD, &lowerNothing},
    Lowering{ZYDIS_MNEMONIC_RDSSPQ, &lowerNothing},
    Lowering{ZYDIS_MNEMONIC_BNDCL, &lowerNothing},
    Lowering{ZYDIS_MNEMONIC_BNDCN, &lowerNothing},
    Lowering{ZYDIS_MNEMONIC_BNDCU, &lowerNothing},
    Lowering{ZYDIS_MNEMONIC_BNDLDX, &lowerNothing},
    Lowering{ZYDIS_MNEMONIC_BNDMK, &lowerNothing},
    Lowering{ZYDIS_MNEMONIC_BNDMOV, &lowerNothing},
    Lowering{ZYDIS_MNEMONIC_BNDSTX, &lowerNothing},
    Lowering{ZYDIS_MNEMONIC_CLFLUSH, &lowerFlushLine},
    Lowering{ZYDIS_MNEMONIC_CLFLUSHOPT, &lowerFlushLine},
    Lowering{ZYDIS_MNEMONIC_CLWB, &lowerFlushLine},
    Lowering{ZYDIS_MNEMONIC_MFENCE, &lowerPlain<&fenceAll>},
    Lowering{ZYDIS_MNEMONIC_SFENCE, &lowerPlain<&fenceStores>},
    Lowering{ZYDIS_MNEMONIC_RDRAND, &lowerRandom},
    Lowering{ZYDIS_MNEMONIC_RDSEED, &lowerRandom},
    Lowering{ZYDIS_MNEMONIC_XLAT, &lowerLookUp},
};

}  // namespace

std::span<const Lowering> hintLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
