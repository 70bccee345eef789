#include "vmm/hypervisor/cpu_template/cpu_template.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "vmm/hypervisor/cpu_template/features.h"

namespace qm {

namespace {

const CpuidEntry* find(const CpuidTable& table, std::uint32_t leaf, std::uint32_t subleaf) {
  const auto found = std::ranges::find_if(table, [&](const CpuidEntry& entry) {
    return entry.leaf == leaf && (!entry.subleafMatters || entry.subleaf == subleaf);
  });
  return found == table.end() ? nullptr : &*found;
}

// What a template takes: of `may` what there is, of `must` all.
struct FeatureLists {
  std::span<const CpuFeature> may;
  std::vector<CpuFeature> must;
};

bool isIn(const CpuFeature& feature, const CpuidEntry& entry) {
  return feature.leaf == entry.leaf && feature.subleaf == entry.subleaf;
}

// The bits of one register that the template may offer.
std::uint32_t maskOf(const FeatureLists& lists, const CpuidEntry& entry, CpuidRegister which) {
  std::uint32_t mask = 0;
  for (const std::span<const CpuFeature> list : {lists.may, std::span<const CpuFeature>(lists.must)}) {
    for (const CpuFeature& feature : list) {
      if (isIn(feature, entry) && feature.in == which) mask |= 1U << feature.bit;
    }
  }
  return mask;
}

bool isLeafOf(const FeatureLists& lists, const CpuidEntry& entry) {
  const auto isHere = [&](const CpuFeature& feature) { return isIn(feature, entry); };
  return std::ranges::any_of(lists.may, isHere) || std::ranges::any_of(lists.must, isHere);
}

// Leaves that tell who, not what: taken as they are, with the largest leaf cut to what remains.
bool isIdentityLeaf(std::uint32_t leaf) {
  constexpr std::array<std::uint32_t, 7> kLeaves{0,           0x4000'0000, 0x8000'0000, 0x8000'0002,
                                                 0x8000'0003, 0x8000'0004, 0x8000'0008};
  return std::ranges::find(kLeaves, leaf) != kLeaves.end();
}

CpuidEntry portableIdentity(CpuidEntry entry) {
  if (entry.leaf == 0) entry.eax = std::min(entry.eax, 0xdU);
  if (entry.leaf == 0x4000'0000) entry.eax = 0x4000'0001;
  if (entry.leaf == 0x8000'0000) entry.eax = std::min(entry.eax, 0x8000'0008U);
  if (entry.leaf == 0x8000'0008) entry = {.leaf = entry.leaf, .eax = entry.eax & 0xffffU};  // address widths
  return entry;
}

bool isXsaveComponent(const CpuidEntry& entry) {
  return entry.leaf == 0xd && entry.subleaf >= 2 && entry.subleaf < 63;
}

// The XSAVE area of what is left: leaf 0xd's subleaf i has eax bytes at offset ebx (SDM 1, 13.2).
void fitXsaveArea(CpuidTable& table) {
  constexpr std::uint32_t kLegacyXsaveBytes = 576;  // 512 legacy + 64 header (SDM 1, 13.4)
  std::uint32_t bytes = kLegacyXsaveBytes;
  for (const CpuidEntry& entry : table) {
    if (isXsaveComponent(entry)) bytes = std::max(bytes, entry.ebx + entry.eax);
  }
  for (CpuidEntry& entry : table) {
    if (entry.leaf == 0xd && entry.subleaf == 0 && entry.eax != 0) entry.ebx = entry.ecx = bytes;
  }
}

CpuidTable reduced(const CpuidTable& supported, const FeatureLists& lists) {
  CpuidTable table;
  const auto hasComponent = [&](std::uint32_t component) {
    const CpuidEntry* area = find(supported, 0xd, 0);
    return area != nullptr && (area->eax & maskOf(lists, *area, CpuidRegister::eax) & 1U << (component & 31U)) != 0;
  };
  for (const CpuidEntry& entry : supported) {
    if (isIdentityLeaf(entry.leaf)) {
      table.push_back(portableIdentity(entry));
    } else if (isXsaveComponent(entry) && entry.subleaf < 32 && hasComponent(entry.subleaf)) {
      table.push_back(entry);
    } else if (isLeafOf(lists, entry)) {
      CpuidEntry kept = entry;
      for (const auto which : {CpuidRegister::eax, CpuidRegister::ebx, CpuidRegister::ecx, CpuidRegister::edx}) {
        registerOf(kept, which) &= maskOf(lists, entry, which);
      }
      // Family, model, stepping; CLFLUSH line size.
      if (entry.leaf == 1) kept.eax = entry.eax, kept.ebx = entry.ebx & 0xff00U;
      table.push_back(kept);
    }
  }
  fitXsaveArea(table);
  return table;
}

std::string missingOf(std::span<const CpuFeature> features, const CpuidTable& supported) {
  std::string missing;
  for (const CpuFeature& feature : features) {
    const CpuidEntry* entry = find(supported, feature.leaf, feature.subleaf);
    if (entry != nullptr && (registerOf(*entry, feature.in) >> feature.bit & 1U) != 0) continue;
    missing += missing.empty() ? "" : ", ";
    missing += feature.name;
  }
  return missing;
}

FeatureLists listsOf(std::string_view name) {
  if (name == "qm-base") return {.may = {}, .must = {baseFeatures().begin(), baseFeatures().end()}};
  FeatureLists lists{.may = portableFeatures(), .must = {}};
  const auto add = [&lists](std::span<const CpuFeature> more) {
    lists.must.insert(lists.must.end(), more.begin(), more.end());
  };
  if (name != kDefaultCpuTemplate) add(v3Features());
  if (name == "qm-v3-sha") add(shaFeatures());
  return lists;
}

// x2APIC id and the count of vCPUs, as one package of single-threaded cores (SDM 3A, 9.9).
void setTopology(CpuidTable& table, std::uint32_t index, std::uint32_t count) {
  std::uint32_t shift = 0;
  while ((1U << shift) < count) ++shift;
  std::erase_if(table, [](const CpuidEntry& entry) { return entry.leaf == 0xb || entry.leaf == 0x1f; });
  const auto level = [&](std::uint32_t subleaf, std::uint32_t bits, std::uint32_t threads, std::uint32_t type) {
    table.push_back({.leaf = 0xb,
                     .subleaf = subleaf,
                     .subleafMatters = true,
                     .eax = bits,
                     .ebx = threads,
                     .ecx = type << 8U | subleaf,
                     .edx = index});
  };
  level(0, 0, 1, 1);
  level(1, shift, count, 2);
  level(2, 0, 0, 0);
  for (CpuidEntry& entry : table) {
    if (entry.leaf != 1) continue;
    entry.ebx = (entry.ebx & 0xff00U) | index << 24U | count << 16U;
    constexpr std::uint32_t kHtt = 1U << 28U;
    entry.edx = count > 1 ? entry.edx | kHtt : entry.edx & ~kHtt;
  }
}

std::string_view registerName(CpuidRegister which) {
  constexpr std::array<std::string_view, 4> kNames{"eax", "ebx", "ecx", "edx"};
  return kNames.at(static_cast<std::size_t>(which));
}

std::string_view nameOf(const CpuidEntry& entry, CpuidRegister which, std::uint32_t bit) {
  for (const std::span<const CpuFeature> list : {portableFeatures(), v3Features(), shaFeatures()}) {
    for (const CpuFeature& feature : list) {
      if (isIn(feature, entry) && feature.in == which && feature.bit == bit) return feature.name;
    }
  }
  return {};
}

// Registers whose every bit is a feature: only those compare bit by bit.
constexpr std::array kFeatureRegisters{
    CpuFeature{1, 0, CpuidRegister::ecx, 0, ""},           CpuFeature{1, 0, CpuidRegister::edx, 0, ""},
    CpuFeature{7, 0, CpuidRegister::ebx, 0, ""},           CpuFeature{7, 0, CpuidRegister::ecx, 0, ""},
    CpuFeature{7, 0, CpuidRegister::edx, 0, ""},           CpuFeature{0xd, 0, CpuidRegister::eax, 0, ""},
    CpuFeature{0xd, 1, CpuidRegister::eax, 0, ""},         CpuFeature{0x4000'0001, 0, CpuidRegister::eax, 0, ""},
    CpuFeature{0x8000'0001, 0, CpuidRegister::ecx, 0, ""}, CpuFeature{0x8000'0001, 0, CpuidRegister::edx, 0, ""},
    CpuFeature{0x8000'0007, 0, CpuidRegister::edx, 0, ""},
};

}  // namespace

Result<CpuidTable> applyCpuTemplate(std::string_view name, const CpuidTable& supported, std::uint32_t index,
                                    std::uint32_t count) {
  if (std::ranges::find(kCpuTemplates, name) == kCpuTemplates.end()) {
    return Error(Remedy::fixInput,
                 fmt::format("there is no CPU template \"{}\"; take {}", name, fmt::join(kCpuTemplates, ", ")));
  }
  CpuidTable table = supported;
  if (name != "host") {
    const FeatureLists lists = listsOf(name);
    const std::string missing = missingOf(lists.must, supported);
    if (!missing.empty()) {
      return Error(Remedy::fixInput,
                   fmt::format("CPU template {} is not to be had on this host, which lacks {}", name, missing));
    }
    table = reduced(supported, lists);
  }
  setTopology(table, index, count);
  std::ranges::sort(table, {}, [](const CpuidEntry& entry) { return std::pair(entry.leaf, entry.subleaf); });
  return table;
}

Status checkCpuOffers(const CpuidTable& saved, const CpuidTable& supported) {
  constexpr std::uint32_t kHtt = 1U << 28U, kOsxsave = 1U << 27U;  // topology; a mirror of CR4
  // FDP_EXCPTN_ONLY, FCS and FDS deprecated: they promise less, so a CPU without them offers no less.
  constexpr std::uint32_t kLesserX87 = 1U << 6U | 1U << 13U;
  std::string missing;
  for (const CpuFeature& at : kFeatureRegisters) {
    const CpuidEntry* wanted = find(saved, at.leaf, at.subleaf);
    if (wanted == nullptr) continue;
    const CpuidEntry* offered = find(supported, at.leaf, at.subleaf);
    std::uint32_t lacking = registerOf(*wanted, at.in) & ~(offered != nullptr ? registerOf(*offered, at.in) : 0U);
    if (at.leaf == 1) lacking &= at.in == CpuidRegister::edx ? ~kHtt : ~kOsxsave;
    if (at.leaf == 7 && at.in == CpuidRegister::ebx) lacking &= ~kLesserX87;
    for (std::uint32_t bit = 0; bit < 32; ++bit) {
      if ((lacking >> bit & 1U) == 0) continue;
      const std::string_view name = nameOf(*wanted, at.in, bit);
      missing += missing.empty() ? "" : ", ";
      missing += name.empty() ? fmt::format("cpuid {:#x}.{} {} bit {}", at.leaf, at.subleaf, registerName(at.in), bit)
                              : std::string(name);
    }
  }
  if (missing.empty()) return {};
  return Error(Remedy::fixInput, "this host's CPU does not offer what the guest was started with: " + missing);
}

}  // namespace qm
