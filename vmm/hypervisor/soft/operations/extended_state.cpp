#include "vmm/hypervisor/soft/operations/extended_state.h"

#include <array>
#include <cstring>

#include "vmm/hypervisor/soft/cpu/extended_image.h"
#include "vmm/hypervisor/soft/memory/page_walk.h"
#include "vmm/hypervisor/soft/operations/operand.h"
#include "vmm/hypervisor/soft/operations/sse_control.h"

namespace qm::soft {

namespace {

constexpr unsigned kFxsaveAlignment = 16, kXsaveAlignment = 64;

// The area's address, aligned; false: stopped.
bool areaAddress(Cpu& cpu, const Operation& op, unsigned alignment, std::uint64_t& address) {
  if (!effectiveAddress<Form::any>(cpu, op, address)) return false;
  if (address % alignment == 0) return true;
  raise(cpu, Exception::generalProtection);
  cpu.fault.isAddress = !isCanonical(address);
  return false;
}

bool isSwitchedOff(Cpu& cpu) {
  if ((cpu.system.cr0 & (cr0::kTs | cr0::kEm)) == 0) return false;
  raise(cpu, Exception::deviceNotAvailable);
  return true;
}

// [from, from + bytes) of an image to the same place of the area. What can fault has been probed.
bool writePart(Cpu& cpu, std::uint64_t area, const ExtendedImage& image, std::size_t from, std::size_t bytes) {
  if (char* const at = writableBytes(cpu, area + from, static_cast<unsigned>(bytes))) {
    std::memcpy(at, image.data() + from, bytes);
    return true;
  }
  for (std::size_t at = from; at < from + bytes; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, image.data() + at, sizeof word);
    if (!store(cpu, area + at, word)) return false;
  }
  return true;
}

bool readPart(Cpu& cpu, std::uint64_t area, ExtendedImage& image, std::size_t from, std::size_t bytes) {
  if (const char* const at = readableBytes(cpu, area + from, static_cast<unsigned>(bytes))) {
    std::memcpy(image.data() + from, at, bytes);
    return true;
  }
  for (std::size_t at = from; at < from + bytes; at += 8) {
    std::uint64_t word = 0;
    if (!load(cpu, area + at, word)) return false;
    std::memcpy(image.data() + at, &word, sizeof word);
  }
  return true;
}

// Both ends can be written: an area spans two pages at most.
bool isWritable(Cpu& cpu, std::uint64_t area, std::size_t bytes) {
  return probeWrite(cpu, area, 1) != Writability::stopped &&
         probeWrite(cpu, area + bytes - 1, 1) != Writability::stopped;
}

// ---- FXSAVE, FXRSTOR (SDM 1, 10.5; SDM 2). `detail`: the 64-bit form, with whole instruction pointers.

bool fxsave(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t area = 0;
  if (isSwitchedOff(cpu) || !areaAddress(cpu, op, kFxsaveAlignment, area) || !isWritable(cpu, area, kLegacyImageBytes))
    return false;
  cpu.mxcsr = currentMxcsr(cpu);
  ExtendedImage image{};
  putX87(image, cpu, op.detail != 0 ? PointerWidth::bits64 : PointerWidth::bits32);
  putMxcsr(image, cpu);
  putXmm(image, cpu);
  // Bytes 416 to 511 are software's, and not written.
  return writePart(cpu, area, image, 0, kXmmEnd);
}

bool fxrstor(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t area = 0;
  ExtendedImage image{};
  if (isSwitchedOff(cpu) || !areaAddress(cpu, op, kFxsaveAlignment, area) || !readPart(cpu, area, image, 0, kXmmEnd))
    return false;
  const std::uint32_t mxcsr = mxcsrOf(image);
  if ((mxcsr & ~kMxcsrBits) != 0) return raise(cpu, Exception::generalProtection);
  getX87(image, cpu, op.detail != 0 ? PointerWidth::bits64 : PointerWidth::bits32);
  getXmm(image, cpu);
  setMxcsr(cpu, mxcsr);
  return true;
}

// ---- XSAVE, XSAVEOPT, XRSTOR (SDM 1, 13.7 to 13.9), standard format

std::uint64_t requested(const Cpu& cpu) {
  return ((cpu.gpr[2] << 32U) | (cpu.gpr[0] & 0xffff'ffff)) & cpu.system.xcr0;
}

bool isXsaveOff(Cpu& cpu) {
  if ((cpu.system.cr4 & cr4::kOsxsave) == 0) return !raise(cpu, Exception::invalidOpcode);
  if ((cpu.system.cr0 & cr0::kTs) == 0) return false;
  return !raise(cpu, Exception::deviceNotAvailable);
}

// MXCSR goes with either of them (SDM 1, 13.7, 13.8.1).
constexpr std::uint64_t kMxcsrComponents = kSseComponent | kAvxComponent;

enum class Saving : std::uint8_t { all, whatIsInUse };

// XSAVEOPT leaves out what is in its initial state; that nothing was modified since the last XRSTOR, which processors
// may use too, is not tracked.
template <Saving saving>
bool xsave(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t area = 0;
  const std::uint64_t wanted = requested(cpu);
  if (isXsaveOff(cpu) || !areaAddress(cpu, op, kXsaveAlignment, area) || !isWritable(cpu, area, areaBytes(wanted)))
    return false;
  cpu.mxcsr = currentMxcsr(cpu);
  const std::uint64_t inUse = componentsInUse(cpu);
  const std::uint64_t written = saving == Saving::all ? wanted : wanted & inUse;
  ExtendedImage image{};
  putX87(image, cpu, op.detail != 0 ? PointerWidth::bits64 : PointerWidth::bits32);
  putMxcsr(image, cpu);
  putXmm(image, cpu);
  putUpperHalves(image, cpu);
  std::uint64_t header = 0;
  if (!load(cpu, area + kHeader, header)) return false;
  if ((written & kX87Component) != 0 &&
      !(writePart(cpu, area, image, 0, kMxcsrStart) && writePart(cpu, area, image, kStStart, kStBytes)))
    return false;
  if ((wanted & kMxcsrComponents) != 0 && !writePart(cpu, area, image, kMxcsrStart, 8)) return false;
  if ((written & kSseComponent) != 0 && !writePart(cpu, area, image, kXmmStart, kXmmBytes)) return false;
  if ((written & kAvxComponent) != 0 && !writePart(cpu, area, image, kUpperStart, kUpperBytes)) return false;
  return store(cpu, area + kHeader, (header & ~wanted) | (inUse & wanted));
}

bool xrstor(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t area = 0;
  ExtendedImage image{};
  if (isXsaveOff(cpu) || !areaAddress(cpu, op, kXsaveAlignment, area) ||
      !readPart(cpu, area, image, 0, kSmallestAreaBytes))
    return false;
  // Of the header: what is in use is a part of XCR0, the compacted form is not offered, the rest is 0.
  const std::uint64_t inUse = headerWord(image, 0);
  bool isValid = (inUse & ~cpu.system.xcr0) == 0;
  for (std::size_t word = 1; word < 3; ++word) isValid &= headerWord(image, word) == 0;
  const std::uint64_t wanted = requested(cpu);
  const bool loadsMxcsr = (wanted & kMxcsrComponents) != 0;
  if (loadsMxcsr && (mxcsrOf(image) & ~kMxcsrBits) != 0) isValid = false;
  if (!isValid) return raise(cpu, Exception::generalProtection);
  const bool loadsUpper = (wanted & inUse & kAvxComponent) != 0;
  if (loadsUpper && !readPart(cpu, area, image, kUpperStart, kUpperBytes)) return false;
  if ((wanted & kX87Component) != 0) {
    if ((inUse & kX87Component) != 0) {
      getX87(image, cpu, op.detail != 0 ? PointerWidth::bits64 : PointerWidth::bits32);
    } else {
      cpu.x87 = {};
    }
  }
  if ((wanted & kSseComponent) != 0) {
    if ((inUse & kSseComponent) != 0) {
      getXmm(image, cpu);
    } else {
      clearXmm(cpu);
    }
  }
  if (loadsUpper) {
    getUpperHalves(image, cpu);
  } else if ((wanted & kAvxComponent) != 0) {
    clearUpperHalves(cpu);
  }
  if (loadsMxcsr) setMxcsr(cpu, mxcsrOf(image));
  return true;
}

// ---- XCR0

Outcome xgetbv(Cpu& cpu, const Operation& /*op*/) {
  const bool isOn = (cpu.system.cr4 & cr4::kOsxsave) != 0;
  const auto index = static_cast<std::uint32_t>(cpu.gpr[1]);
  if (!isOn || index != 0) {
    raise(cpu, isOn ? Exception::generalProtection : Exception::invalidOpcode);
    return Outcome::stopped;
  }
  cpu.gpr[0] = cpu.system.xcr0 & 0xffff'ffff;
  cpu.gpr[2] = cpu.system.xcr0 >> 32U;
  return Outcome::next;
}

Outcome xsetbv(Cpu& cpu, const Operation& op) {
  const std::uint64_t value = (cpu.gpr[2] << 32U) | (cpu.gpr[0] & 0xffff'ffff);
  const auto index = static_cast<std::uint32_t>(cpu.gpr[1]);
  if ((cpu.system.cr4 & cr4::kOsxsave) == 0) {
    raise(cpu, Exception::invalidOpcode);
    return Outcome::stopped;
  }
  if (cpu.system.cpl != 0 || index != 0 || !isXcr0(value, cpu.system.xcr0Offered)) {
    raise(cpu, Exception::generalProtection);
    return Outcome::stopped;
  }
  cpu.system.xcr0 = value;
  modeChanged(cpu);
  cpu.rip = addressAfter(cpu, op);
  return Outcome::elsewhere;
}

// ---- lowering

template <auto body, std::uint8_t detail>
bool lowerArea(const Instruction& instruction, Emitter& emitter) {
  emitter.addMemory(anyForm<body>(), instruction.operand(0)).detail = detail;
  return true;
}

bool lowerXgetbv(const Instruction& /*instruction*/, Emitter& emitter) {
  emitter.add(&system<&xgetbv>);
  return true;
}

bool lowerXsetbv(const Instruction& /*instruction*/, Emitter& emitter) {
  emitter.addEnd(&system<&xsetbv>);
  return true;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_FXSAVE, &lowerArea<&fxsave, 0>},
    Lowering{ZYDIS_MNEMONIC_FXSAVE64, &lowerArea<&fxsave, 1>},
    Lowering{ZYDIS_MNEMONIC_FXRSTOR, &lowerArea<&fxrstor, 0>},
    Lowering{ZYDIS_MNEMONIC_FXRSTOR64, &lowerArea<&fxrstor, 1>},
    Lowering{ZYDIS_MNEMONIC_XSAVE, &lowerArea<&xsave<Saving::all>, 0>},
    Lowering{ZYDIS_MNEMONIC_XSAVE64, &lowerArea<&xsave<Saving::all>, 1>},
    Lowering{ZYDIS_MNEMONIC_XSAVEOPT, &lowerArea<&xsave<Saving::whatIsInUse>, 0>},
    Lowering{ZYDIS_MNEMONIC_XSAVEOPT64, &lowerArea<&xsave<Saving::whatIsInUse>, 1>},
    Lowering{ZYDIS_MNEMONIC_XRSTOR, &lowerArea<&xrstor, 0>},
    Lowering{ZYDIS_MNEMONIC_XRSTOR64, &lowerArea<&xrstor, 1>},
    Lowering{ZYDIS_MNEMONIC_XGETBV, &lowerXgetbv},
    Lowering{ZYDIS_MNEMONIC_XSETBV, &lowerXsetbv},
};

}  // namespace

std::span<const Lowering> extendedStateLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
