// CPU templates: which CPU a guest sees, by name, so that a snapshot taken on one host restores on another that offers
// as much. A template only takes away from what a backend supports.
//
//   qm-v1  the default: features.h's list, which both backends can have. Leaves that are not in it do not exist:
//          no AVX, no PMU, no cache topology, and none of the mitigation bits (the VM is the boundary between tenants).
//   qm-base  x86-64-v2 and what practically every host and nested KVM has: for snapshots that are to go anywhere.
//          Nowhere but where all of it is to be had.
//   qm-v3  qm-v1 and the rest of x86-64-v3: AVX, AVX2, FMA, F16C; nowhere but where all of it is to be had.
//   qm-v3-sha  the same with SHA-NI, which not every host with AVX2 has.
//   host   everything the backend supports: fastest, and bound to this kind of host.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "vmm/hypervisor/state.h"
#include "vmm/result/result.h"

namespace qm {

inline constexpr std::string_view kDefaultCpuTemplate = "qm-v1";
inline constexpr std::initializer_list<std::string_view> kCpuTemplates{kDefaultCpuTemplate, "qm-base", "qm-v3",
                                                                       "qm-v3-sha", "host"};

// CPUID of vCPU `index` of `count`: the template's choice among `supported`, with this vCPU's APIC id and topology (one
// package, one thread a core). fixInput for an unknown name, and for one that promises what there is not.
Result<CpuidTable> applyCpuTemplate(std::string_view name, const CpuidTable& supported, std::uint32_t index,
                                    std::uint32_t count);

// Whether a guest that saw `saved` can run where `supported` is what there is; else fixInput with the missing features'
// names.
Status checkCpuOffers(const CpuidTable& saved, const CpuidTable& supported);

}  // namespace qm
