#include "vmm/hypervisor/kvm/convert_cpuid.h"

namespace qm::kvm {

CpuidTable fromKvm(std::span<const kvm_cpuid_entry2> entries) {
  CpuidTable table;
  for (const kvm_cpuid_entry2& entry : entries) {
    table.push_back({.leaf = entry.function,
                     .subleaf = entry.index,
                     .subleafMatters = (entry.flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) != 0,
                     .eax = entry.eax,
                     .ebx = entry.ebx,
                     .ecx = entry.ecx,
                     .edx = entry.edx});
  }
  return table;
}

CpuidList toKvm(const CpuidTable& table) {
  CpuidList list(table.size());
  list.header()->nent = static_cast<__u32>(table.size());
  for (std::size_t i = 0; i < table.size(); ++i) {
    const CpuidEntry& from = table[i];
    kvm_cpuid_entry2& to = list.entries()[i];
    to.function = from.leaf;
    to.index = from.subleaf;
    to.flags = from.subleafMatters ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0;
    to.eax = from.eax;
    to.ebx = from.ebx;
    to.ecx = from.ecx;
    to.edx = from.edx;
  }
  return list;
}

}  // namespace qm::kvm
