#include "vmm/hypervisor/soft/operations/segment_base.h"

#include <utility>

#include "vmm/hypervisor/soft/memory/page_walk.h"
#include "vmm/hypervisor/soft/system/segment_register.h"

namespace qm::soft {

namespace {

bool isOpen(Cpu& cpu) {
  return (cpu.system.cr4 & cr4::kFsgsbase) != 0 || raise(cpu, Exception::invalidOpcode);
}

template <SegmentName name, class T>
bool readBase(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  if (!isOpen(cpu)) return false;
  setReg(cpu, op.to, static_cast<T>(segment(cpu, name).base));
  return true;
}

template <SegmentName name, class T>
bool writeBase(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  if (!isOpen(cpu)) return false;
  const std::uint64_t base = reg<T>(cpu, op.from);
  if (!isCanonical(base)) return raise(cpu, Exception::generalProtection);
  segment(cpu, name).base = cpu.segmentBase[static_cast<std::size_t>(name)] = base;
  return true;
}

bool swapGs(Cpu& cpu, const Operation& /*op*/, Flags& /*flags*/) {
  if (cpu.system.cpl != 0) return raise(cpu, Exception::generalProtection);
  std::uint64_t& base = segment(cpu, SegmentName::gs).base;
  std::swap(base, cpu.system.kernelGsBase);
  cpu.segmentBase[static_cast<std::size_t>(SegmentName::gs)] = base;
  return true;
}

}  // namespace

bool lowerReadBase(const Instruction& instruction, Emitter& emitter) {
  const Operand& to = instruction.operand(0);
  const bool isFs = instruction.mnemonic() == ZYDIS_MNEMONIC_RDFSBASE, isWide = to.size == 64;
  const Handler fs =
      isWide ? &step<&readBase<SegmentName::fs, std::uint64_t>> : &step<&readBase<SegmentName::fs, std::uint32_t>>;
  const Handler gs =
      isWide ? &step<&readBase<SegmentName::gs, std::uint64_t>> : &step<&readBase<SegmentName::gs, std::uint32_t>>;
  emitter.add(isFs ? fs : gs).to = registerPlace(to.reg.value);
  return true;
}

bool lowerWriteBase(const Instruction& instruction, Emitter& emitter) {
  const Operand& from = instruction.operand(0);
  const bool isFs = instruction.mnemonic() == ZYDIS_MNEMONIC_WRFSBASE, isWide = from.size == 64;
  const Handler fs =
      isWide ? &step<&writeBase<SegmentName::fs, std::uint64_t>> : &step<&writeBase<SegmentName::fs, std::uint32_t>>;
  const Handler gs =
      isWide ? &step<&writeBase<SegmentName::gs, std::uint64_t>> : &step<&writeBase<SegmentName::gs, std::uint32_t>>;
  emitter.add(isFs ? fs : gs).from = registerPlace(from.reg.value);
  return true;
}

bool lowerSwapGs(const Instruction& /*instruction*/, Emitter& emitter) {
  emitter.add(&step<&swapGs>);
  return true;
}

}  // namespace qm::soft
