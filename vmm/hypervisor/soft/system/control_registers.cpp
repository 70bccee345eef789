#include "vmm/hypervisor/soft/system/control_registers.h"

#include <array>

#include "vmm/hypervisor/soft/chips/interrupt_fabric.h"
#include "vmm/hypervisor/soft/cpu/unmodelled.h"
#include "vmm/hypervisor/soft/memory/tlb_flush.h"
#include "vmm/hypervisor/soft/system/cpuid.h"
#include "vmm/hypervisor/soft/system/segment_register.h"

namespace qm::soft {

namespace {

constexpr std::uint64_t kPcid = 0xfff, kKeepEntries = std::uint64_t{1} << 63U;  // of CR3 with CR4.PCIDE

bool refuse(Cpu& cpu) {
  return raise(cpu, Exception::generalProtection);
}

// Paging is being switched on or off.
bool mayChangePaging(Cpu& cpu, const Operation& op, std::uint64_t value) {
  const SystemState& system = cpu.system;
  const bool isOn = (value & cr0::kPg) != 0, isWanted = (system.efer & efer::kLme) != 0;
  if (isOn) {
    if (!isWanted) return refuseUnmodelled(cpu, op);
    return ((system.cr4 & cr4::kPae) != 0 && !segment(cpu, SegmentName::cs).l) || refuse(cpu);
  }
  return (system.codeSize != CodeSize::bits64 && (system.cr4 & cr4::kPcide) == 0) || refuse(cpu);
}

bool setCr0(Cpu& cpu, const Operation& op, std::uint64_t value) {
  constexpr std::uint64_t kDefined = cr0::kPe | cr0::kMp | cr0::kEm | cr0::kTs | cr0::kEt | cr0::kNe | cr0::kWp |
                                     cr0::kAm | cr0::kNw | cr0::kCd | cr0::kPg;
  if (value >> 32U != 0) return refuse(cpu);
  value = (value & kDefined) | cr0::kEt;
  const bool isPaged = (value & cr0::kPg) != 0;
  if (isPaged && (value & cr0::kPe) == 0) return refuse(cpu);
  if ((value & cr0::kNw) != 0 && (value & cr0::kCd) == 0) return refuse(cpu);
  const std::uint64_t changed = value ^ cpu.system.cr0;
  if ((changed & cr0::kPg) != 0 && !mayChangePaging(cpu, op, value)) return false;
  cpu.system.cr0 = value;
  if ((changed & cr0::kPg) != 0)
    cpu.system.efer = isPaged ? cpu.system.efer | efer::kLma : cpu.system.efer & ~efer::kLma;
  constexpr std::uint64_t kAffectsPages = cr0::kPg | cr0::kPe | cr0::kWp;
  if ((changed & kAffectsPages) != 0) flushAll(cpu);
  modeChanged(cpu);
  return true;
}

bool setCr3(Cpu& cpu, std::uint64_t value) {
  const bool hasPcids = (cpu.system.cr4 & cr4::kPcide) != 0;
  const bool keeps = hasPcids && (value & kKeepEntries) != 0;
  if (hasPcids) value &= ~kKeepEntries;
  if ((value & ~cpu.system.physicalMask) != 0) return refuse(cpu);
  // What is remembered belongs to the address space of the old value.
  const bool isTheSame = value == cpu.system.cr3;
  cpu.system.cr3 = value;
  if (!keeps || !isTheSame) flushNonGlobal(cpu);
  return true;
}

// A flag of CR4 for each feature that CPUID offers (SDM 3A, 2.5).
std::uint64_t offeredCr4(const Cpu& cpu) {
  struct Offer {
    std::uint32_t leaf;
    std::uint32_t CpuidAnswer::* part;
    unsigned bit;
    std::uint64_t flags;
  };
  static constexpr std::array kOffers{
      Offer{1, &CpuidAnswer::edx, 1, cr4::kVme | cr4::kPvi},
      Offer{1, &CpuidAnswer::edx, 2, cr4::kDe},
      Offer{1, &CpuidAnswer::edx, 3, cr4::kPse},
      Offer{1, &CpuidAnswer::edx, 4, cr4::kTsd},
      Offer{1, &CpuidAnswer::edx, 6, cr4::kPae},
      Offer{1, &CpuidAnswer::edx, 7, cr4::kMce},
      Offer{1, &CpuidAnswer::edx, 13, cr4::kPge},
      Offer{1, &CpuidAnswer::edx, 24, cr4::kOsfxsr},
      Offer{1, &CpuidAnswer::edx, 25, cr4::kOsxmmexcpt},
      Offer{1, &CpuidAnswer::ecx, 17, cr4::kPcide},
      Offer{1, &CpuidAnswer::ecx, 26, cr4::kOsxsave},
      Offer{7, &CpuidAnswer::ebx, 0, cr4::kFsgsbase},
      Offer{7, &CpuidAnswer::ebx, 7, cr4::kSmep},
      Offer{7, &CpuidAnswer::ebx, 20, cr4::kSmap},
      Offer{7, &CpuidAnswer::ecx, 2, cr4::kUmip},
  };
  std::uint64_t offered = cr4::kPce;
  for (const Offer& offer : kOffers) {
    const CpuidAnswer answer = readCpuid(cpu, offer.leaf, 0);
    if ((answer.*offer.part >> offer.bit & 1U) != 0) offered |= offer.flags;
  }
  return offered;
}

bool setCr4(Cpu& cpu, std::uint64_t value) {
  const SystemState& system = cpu.system;
  const bool isLong = (system.efer & efer::kLma) != 0;
  const std::uint64_t changed = value ^ system.cr4;
  if ((value & ~offeredCr4(cpu)) != 0) return refuse(cpu);
  if (isLong && (value & cr4::kPae) == 0) return refuse(cpu);
  const bool opensPcids = (changed & value & cr4::kPcide) != 0;
  if (opensPcids && (!isLong || (system.cr3 & kPcid) != 0)) return refuse(cpu);
  cpu.system.cr4 = value;
  constexpr std::uint64_t kAffectsPages = cr4::kPae | cr4::kPse | cr4::kPge | cr4::kPcide | cr4::kSmep | cr4::kSmap;
  if ((changed & kAffectsPages) != 0) flushAll(cpu);
  modeChanged(cpu);
  return true;
}

}  // namespace

std::uint64_t controlRegister(const Cpu& cpu, ControlRegister which) {
  switch (which) {
    case ControlRegister::cr0:
      return cpu.system.cr0;
    case ControlRegister::cr2:
      return cpu.system.cr2;
    case ControlRegister::cr3:
      return cpu.system.cr3;
    case ControlRegister::cr4:
      return cpu.system.cr4;
    case ControlRegister::cr8:
      return cpu.around.chips.cr8(cpu.around.index);
  }
  return 0;
}

bool setControlRegister(Cpu& cpu, const Operation& op, ControlRegister which, std::uint64_t value) {
  constexpr std::uint64_t kPriority = 0xf;
  switch (which) {
    case ControlRegister::cr0:
      return setCr0(cpu, op, value);
    case ControlRegister::cr2:
      cpu.system.cr2 = value;
      return true;
    case ControlRegister::cr3:
      return setCr3(cpu, value);
    case ControlRegister::cr4:
      return setCr4(cpu, value);
    case ControlRegister::cr8:
      if (value > kPriority) return refuse(cpu);
      cpu.around.chips.setCr8(cpu.around.index, static_cast<std::uint8_t>(value));
      return true;
  }
  return refuse(cpu);
}

}  // namespace qm::soft
