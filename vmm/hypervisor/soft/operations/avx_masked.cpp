#include "vmm/hypervisor/soft/operations/avx_masked.h"

#include <algorithm>

#include "vmm/hypervisor/soft/operations/vex_operand.h"

namespace qm::soft {

namespace {

template <class T>
T laneOf(const WideVector& vector, unsigned lane) {
  T value;
  __builtin_memcpy(&value, reinterpret_cast<const char*>(&vector) + lane * sizeof(T), sizeof value);
  return value;
}
template <class T>
void setLane(WideVector& vector, unsigned lane, T value) {
  __builtin_memcpy(reinterpret_cast<char*>(&vector) + lane * sizeof(T), &value, sizeof value);
}

template <class T>
bool isSelected(const WideVector& mask, unsigned lane) {
  return laneOf<T>(mask, lane) >> (8 * sizeof(T) - 1) != 0;
}

// ---- VMASKMOVPx, VPMASKMOVx: `third` is the mask, `detail` how many lanes there are

template <class T>
bool loadMasked(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t address = 0;
  if (!effectiveAddress<Form::any>(cpu, op, address)) return false;
  const WideVector& mask = cpu.ymm[op.third];
  WideVector result;
  for (unsigned lane = 0; lane < op.detail; ++lane) {
    if (!isSelected<T>(mask, lane)) continue;
    T value;
    if (!load(cpu, address + lane * sizeof(T), value)) return false;
    setLane(result, lane, value);
  }
  cpu.ymm[op.to] = result;
  return true;
}

template <class T>
bool storeMasked(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t address = 0;
  if (!effectiveAddress<Form::any>(cpu, op, address)) return false;
  const WideVector& mask = cpu.ymm[op.third];
  for (unsigned lane = 0; lane < op.detail; ++lane) {
    if (isSelected<T>(mask, lane) && probeWrite(cpu, address + lane * sizeof(T), sizeof(T)) == Writability::stopped)
      return false;
  }
  const WideVector& value = cpu.ymm[op.from];
  for (unsigned lane = 0; lane < op.detail; ++lane) {
    if (isSelected<T>(mask, lane) && !store(cpu, address + lane * sizeof(T), laneOf<T>(value, lane))) return false;
  }
  return true;
}

template <class T>
bool lowerMasked(const Instruction& instruction, Emitter& emitter) {
  const bool isStore = isMemory(instruction.operand(0));
  const Operand& memory = instruction.operand(isStore ? 0 : 2);
  Operation& op = emitter.add(isStore ? &step<&storeMasked<T>> : &step<&loadMasked<T>>);
  emitter.setAddress(op, memory);
  if (isStore) op.from = registerNumber(instruction.operand(2).reg.value);
  if (!isStore) op.to = registerNumber(instruction.operand(0).reg.value);
  op.third = registerNumber(instruction.operand(1).reg.value);
  op.detail = static_cast<std::uint8_t>(bytesRead(Reads::whole, lengthOf(instruction, Reads::whole)) / sizeof(T));
  return true;
}

// ---- gathers: `from` is the vector of indices, `third` the mask

// SDM 1, 3.3.7: with 32-bit addresses the whole sum wraps, and the segment's base comes to it after that.
std::uint64_t withIndex(const Cpu& cpu, const Operation& op, std::uint64_t address, std::int64_t index) {
  const std::uint64_t sum = address + (static_cast<std::uint64_t>(index) << op.scale);
  if (op.addressBytes == 8) return sum;
  const std::uint64_t base = cpu.segmentBase[static_cast<std::size_t>(op.segment)];
  return base + ((sum - base) & 0xffff'ffffU);
}

// Each lane all ones or all zeros by its sign, of as much as the instruction's length.
template <class T>
WideVector extendedMask(const WideVector& mask, VexLength length) {
  WideVector extended;
  const unsigned lanes = bytesRead(Reads::whole, length) / sizeof(T);
  for (unsigned lane = 0; lane < lanes; ++lane) setLane(extended, lane, isSelected<T>(mask, lane) ? ~T{0} : T{0});
  return extended;
}

// A fault leaves the lanes before it done and not selected, and the mask extended, as processors do (SDM 2,
// VPGATHERDD). What waits for a device is begun again from the start, and finds its answers there.
template <class T, class Index, VexLength length>
bool gather(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  constexpr unsigned kLanes = bytesRead(Reads::whole, length) / std::max(sizeof(T), sizeof(Index));
  std::uint64_t address = 0;
  if (!effectiveAddress<Form::any>(cpu, op, address)) return false;
  const WideVector& indices = cpu.ymm[op.from];
  WideVector result = cpu.ymm[op.to], mask = extendedMask<T>(cpu.ymm[op.third], length);
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    if (!isSelected<T>(mask, lane)) continue;
    T value;
    const auto index = static_cast<std::int64_t>(laneOf<Index>(indices, lane));
    if (!load(cpu, withIndex(cpu, op, address, index), value)) {
      if (cpu.stop == Stop::exception) {
        cpu.ymm[op.to] = result;
        cpu.ymm[op.third] = mask;
      }
      return false;
    }
    setLane(result, lane, value);
    setLane(mask, lane, T{0});
  }
  constexpr unsigned kAllLanes = sizeof(WideVector) / sizeof(T);
  for (unsigned lane = kLanes; lane < kAllLanes; ++lane) setLane(result, lane, T{0});
  cpu.ymm[op.to] = result;
  cpu.ymm[op.third] = {};
  return true;
}

template <class T, class Index>
bool lowerGather(const Instruction& instruction, Emitter& emitter) {
  Operand memory = instruction.operand(1);
  const ZydisRegister indices = memory.mem.index;
  memory.mem.index = ZYDIS_REGISTER_NONE;
  const bool isLong = lengthOf(instruction, Reads::whole) == VexLength::bits256;
  Operation& op =
      emitter.add(isLong ? &step<&gather<T, Index, VexLength::bits256>> : &step<&gather<T, Index, VexLength::bits128>>);
  emitter.setAddress(op, memory);
  op.to = registerNumber(instruction.operand(0).reg.value);
  op.from = registerNumber(indices);
  op.third = registerNumber(instruction.operand(2).reg.value);
  return true;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_VMASKMOVPS, &lowerMasked<std::uint32_t>},
    Lowering{ZYDIS_MNEMONIC_VMASKMOVPD, &lowerMasked<std::uint64_t>},
    Lowering{ZYDIS_MNEMONIC_VPMASKMOVD, &lowerMasked<std::uint32_t>},
    Lowering{ZYDIS_MNEMONIC_VPMASKMOVQ, &lowerMasked<std::uint64_t>},
    Lowering{ZYDIS_MNEMONIC_VPGATHERDD, &lowerGather<std::uint32_t, std::int32_t>},
    Lowering{ZYDIS_MNEMONIC_VPGATHERDQ, &lowerGather<std::uint64_t, std::int32_t>},
    Lowering{ZYDIS_MNEMONIC_VPGATHERQD, &lowerGather<std::uint32_t, std::int64_t>},
    Lowering{ZYDIS_MNEMONIC_VPGATHERQQ, &lowerGather<std::uint64_t, std::int64_t>},
    Lowering{ZYDIS_MNEMONIC_VGATHERDPS, &lowerGather<std::uint32_t, std::int32_t>},
    Lowering{ZYDIS_MNEMONIC_VGATHERDPD, &lowerGather<std::uint64_t, std::int32_t>},
    Lowering{ZYDIS_MNEMONIC_VGATHERQPS, &lowerGather<std::uint32_t, std::int64_t>},
    Lowering{ZYDIS_MNEMONIC_VGATHERQPD, &lowerGather<std::uint64_t, std::int64_t>},
};

}  // namespace

std::span<const Lowering> avxMaskedLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
