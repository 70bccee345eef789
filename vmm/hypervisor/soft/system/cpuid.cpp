#include "vmm/hypervisor/soft/system/cpuid.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "vmm/hypervisor/soft/chips/interrupt_fabric.h"
#include "vmm/hypervisor/soft/chips/local_apic_registers.h"
#include "vmm/hypervisor/soft/host/host_cpu.h"
#include "vmm/hypervisor/soft/system/offered_features.h"

namespace qm::soft {

namespace {

constexpr std::uint32_t kLastBasic = 0xd, kLastKvm = 0x4000'0001, kLastExtended = 0x8000'0008;
constexpr std::uint32_t kLegacyXsaveBytes = 576;  // 512 of FXSAVE's and a header of 64 (SDM 1, 13.4)
constexpr std::uint32_t kAvxXsaveBytes = 256;     // sixteen halves of registers
constexpr std::uint32_t kPhysicalBits = 46, kLinearBits = 48;

// Family 6, model 0x36, stepping 1, as leaf 1 has it (SDM 2A, CPUID, figure 3-6).
constexpr std::uint32_t kSignature = 0x0003'0661;
constexpr std::uint32_t kClflushBytes = 64;

// Twelve characters in ebx, edx, ecx; leaf 0's order.
CpuidEntry vendorLeaf(std::uint32_t leaf, std::uint32_t last, std::string_view name) {
  CpuidEntry entry{.leaf = leaf, .eax = last};
  std::memcpy(&entry.ebx, name.data(), 4);
  std::memcpy(&entry.edx, name.data() + 4, 4);
  std::memcpy(&entry.ecx, name.data() + 8, 4);
  return entry;
}

CpuidEntry& entryOf(CpuidTable& table, std::uint32_t leaf, std::uint32_t subleaf) {
  return *std::ranges::find_if(table,
                               [&](const CpuidEntry& entry) { return entry.leaf == leaf && entry.subleaf == subleaf; });
}

const CpuidEntry* find(const CpuidTable& table, std::uint32_t leaf, std::uint32_t subleaf) {
  const auto found = std::ranges::find_if(table, [&](const CpuidEntry& entry) {
    return entry.leaf == leaf && (!entry.subleafMatters || entry.subleaf == subleaf);
  });
  return found == table.end() ? nullptr : &*found;
}

bool has(const CpuidTable& table, const CpuFeature& feature) {
  const CpuidEntry* entry = find(table, feature.leaf, feature.subleaf);
  return entry != nullptr && (registerOf(*entry, feature.in) >> feature.bit & 1U) != 0;
}

void addBrand(CpuidTable& table) {
  std::array<char, 48> text{};
  constexpr std::string_view kBrand = "Quickmatch CPU in software";
  std::ranges::copy(kBrand, text.begin());
  for (std::uint32_t part = 0; part < 3; ++part) {
    CpuidEntry entry{.leaf = 0x8000'0002 + part};
    const char* const at = text.data() + part * 16;
    std::memcpy(&entry.eax, at, 4);
    std::memcpy(&entry.ebx, at + 4, 4);
    std::memcpy(&entry.ecx, at + 8, 4);
    std::memcpy(&entry.edx, at + 12, 4);
    table.push_back(entry);
  }
}

bool isIntelKind(const CpuidTable& table) {
  const CpuidEntry* vendor = find(table, 0, 0);
  return vendor != nullptr && vendor->ecx == 0x6c65'746e;  // "ntel" of GenuineIntel
}

// The last leaf of the range that `leaf` is in; 0: there is no such range.
std::uint32_t lastOfRange(const CpuidTable& table, std::uint32_t leaf) {
  const bool isOfHypervisor = leaf >= 0x4000'0000 && leaf < 0x5000'0000;
  const CpuidEntry* first = find(table, isOfHypervisor ? 0x4000'0000 : leaf & 0x8000'0000, 0);
  return first == nullptr ? 0 : first->eax;
}

// Of what XCR0 has switched on; leaf 0xd's subleaf i: eax bytes at offset ebx (SDM 1, 13.2).
std::uint32_t xsaveBytes(const CpuidTable& table, std::uint64_t xcr0) {
  std::uint32_t bytes = kLegacyXsaveBytes;
  for (const CpuidEntry& part : table) {
    const bool isComponent = part.leaf == 0xd && part.subleaf >= 2 && part.subleaf < 63;
    if (isComponent && (xcr0 >> part.subleaf & 1U) != 0) bytes = std::max(bytes, part.eax + part.ebx);
  }
  return bytes;
}

// The upper halves of the YMM registers: XCR0's bit 2, and where they lie in the area.
void offerAvxState(CpuidTable& table) {
  CpuidEntry& area = entryOf(table, 0xd, 0);
  area.eax |= 1U << 2U;
  area.ebx = area.ecx = kLegacyXsaveBytes + kAvxXsaveBytes;
  table.push_back({.leaf = 0xd, .subleaf = 2, .subleafMatters = true, .eax = kAvxXsaveBytes, .ebx = kLegacyXsaveBytes});
}

// All or nothing: some operations are AVX2's encoding of an AVX instruction.
bool hostHasAvx() {
  const HostCan can = hostCan();
  return can.avx && can.avx2 && can.fma;
}

// The part of XCR0 that the guest's CPUID and this host let be.
std::uint64_t offeredStates(const CpuidTable& table) {
  constexpr std::uint64_t kX87AndSse = 3, kAvx = 4;
  const CpuidEntry* area = find(table, 0xd, 0);
  const bool hasAvx = area != nullptr && (area->eax & kAvx) != 0 && hostHasAvx();
  return hasAvx ? kX87AndSse | kAvx : kX87AndSse;
}

void mirrorRegisters(const Cpu& cpu, std::uint32_t leaf, std::uint32_t subleaf, CpuidAnswer& is) {
  constexpr std::uint32_t kXsave = 1U << 26U, kOsxsave = 1U << 27U, kApic = 1U << 9U;
  if (leaf == 1) {
    is.ecx &= ~kOsxsave;
    if ((is.ecx & kXsave) != 0 && (cpu.system.cr4 & cr4::kOsxsave) != 0) is.ecx |= kOsxsave;
    if ((cpu.around.chips.apicBase(cpu.around.index) & apic_base::kEnabled) == 0) is.edx &= ~kApic;
  }
  if (leaf == 0xd && subleaf == 0 && is.eax != 0) is.ebx = xsaveBytes(cpu.system.cpuid, cpu.system.xcr0);
}

// The topology's leaves answer the APIC id and the number asked for at every level that there is not.
CpuidAnswer absentLevel(const CpuidTable& table, std::uint32_t leaf, std::uint32_t subleaf) {
  const CpuidEntry* first = find(table, leaf, 0);
  return {.ecx = subleaf & 0xffU, .edx = first == nullptr ? 0 : first->edx};
}

}  // namespace

Status checkHost() {
  const CpuidTable host = hostCpuid();
  std::string missing;
  for (const CpuFeature& feature : requiredOfHost()) {
    if (has(host, feature)) continue;
    missing += missing.empty() ? "" : ", ";
    missing += feature.name;
  }
  if (missing.empty()) return {};
  return Error(Remedy::giveUp, "the CPU in software needs a host CPU of x86-64-v2; this one lacks " + missing);
}

CpuidTable supportedCpuid() {
  CpuidTable table{vendorLeaf(0, kLastBasic, "GenuineIntel"),
                   {.leaf = 1, .eax = kSignature, .ebx = kClflushBytes / 8 << 8U},
                   {.leaf = 6},
                   {.leaf = 7, .subleafMatters = true},
                   {.leaf = 0xd, .subleafMatters = true, .ebx = kLegacyXsaveBytes, .ecx = kLegacyXsaveBytes},
                   {.leaf = 0xd, .subleaf = 1, .subleafMatters = true},
                   {.leaf = 0x4000'0001},
                   {.leaf = 0x8000'0000, .eax = kLastExtended},
                   {.leaf = 0x8000'0001},
                   {.leaf = 0x8000'0007},
                   {.leaf = 0x8000'0008, .eax = kPhysicalBits | kLinearBits << 8U}};
  CpuidEntry kvm = vendorLeaf(0x4000'0000, kLastKvm, std::string_view("KVMKVMKVM\0\0\0", 12));
  std::swap(kvm.ecx, kvm.edx);  // a hypervisor's name is in ebx, ecx, edx
  table.push_back(kvm);
  addBrand(table);
  const auto offer = [&table](const CpuFeature& feature) {
    registerOf(entryOf(table, feature.leaf, feature.subleaf), feature.in) |= 1U << feature.bit;
  };
  std::ranges::for_each(requiredOfHost(), offer);
  std::ranges::for_each(byOurselves(), offer);
  const CpuidTable host = hostCpuid();
  for (const CpuFeature& feature : byHost()) {
    if (has(host, feature)) offer(feature);
  }
  if (hostHasAvx()) {
    for (const CpuFeature& feature : byHostWithAvx()) {
      if (has(host, feature)) offer(feature);
    }
    offerAvxState(table);
  }
  std::ranges::sort(table, {}, [](const CpuidEntry& entry) { return std::pair(entry.leaf, entry.subleaf); });
  return table;
}

void setGuestCpuid(Cpu& cpu, const CpuidTable& table) {
  constexpr std::uint32_t kFewest = 36, kMost = 52;  // SDM 3A, 4.1.4
  cpu.system.cpuid = table;
  const CpuidEntry* widths = find(table, 0x8000'0008, 0);
  const std::uint32_t bits = widths == nullptr ? kFewest : std::clamp(widths->eax & 0xffU, kFewest, kMost);
  cpu.system.xcr0Offered = offeredStates(table);
  cpu.system.physicalMask = (std::uint64_t{1} << bits) - 1;
}

CpuidAnswer readCpuid(const Cpu& cpu, std::uint32_t leaf, std::uint32_t subleaf) {
  const CpuidTable& table = cpu.system.cpuid;
  const CpuidEntry* entry = find(table, leaf, subleaf);
  if (entry == nullptr && leaf > lastOfRange(table, leaf) && isIntelKind(table)) {
    leaf = lastOfRange(table, 0);
    entry = find(table, leaf, subleaf);
  }
  if (entry == nullptr) {
    const bool isTopology = leaf == 0xb || leaf == 0x1f;
    return isTopology && find(table, leaf, 0) != nullptr ? absentLevel(table, leaf, subleaf) : CpuidAnswer{};
  }
  CpuidAnswer is{.eax = entry->eax, .ebx = entry->ebx, .ecx = entry->ecx, .edx = entry->edx};
  mirrorRegisters(cpu, leaf, subleaf, is);
  return is;
}

}  // namespace qm::soft
