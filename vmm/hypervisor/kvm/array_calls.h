// KVM's calls on structs that end in an array. <linux/kvm.h> declares such an array with an empty struct before it,
// which takes a byte in C++ and none in C: there the struct is larger than the kernel's, and the call's number, which
// holds the size, one that KVM refuses. So their headers, and the numbers, are said here
// (Documentation/virt/kvm/api.rst).
#pragma once

#include <linux/kvm.h>

#include <cstddef>

namespace qm::kvm {

struct CpuidHeader {
  __u32 nent;
  __u32 padding;
};
struct MsrHeader {
  __u32 nmsrs;
  __u32 pad;
};
struct MsrIndexHeader {
  __u32 nmsrs;
};
// The fixed part of kvm_xsave. KVM_GET_XSAVE2 writes as much more as KVM_CAP_XSAVE2 says.
struct XsaveHeader {
  __u32 region[1024];
};
// kvm_signal_mask with the kernel's own signal set, which the first 64 signals fill; the call's number counts `len`
// alone.
struct SignalMask {
  __u32 len = 8;
  __u8 sigset[8]{};
};

inline constexpr unsigned long kGetMsrIndexList = _IOWR(KVMIO, 0x02, MsrIndexHeader);
inline constexpr unsigned long kGetSupportedCpuid = _IOWR(KVMIO, 0x05, CpuidHeader);
inline constexpr unsigned long kGetMsrs = _IOWR(KVMIO, 0x88, MsrHeader);
inline constexpr unsigned long kSetMsrs = _IOW(KVMIO, 0x89, MsrHeader);
inline constexpr unsigned long kSetSignalMask = _IOW(KVMIO, 0x8b, __u32);
inline constexpr unsigned long kSetCpuid = _IOW(KVMIO, 0x90, CpuidHeader);
inline constexpr unsigned long kGetXsave = _IOR(KVMIO, 0xa4, XsaveHeader);
inline constexpr unsigned long kSetXsave = _IOW(KVMIO, 0xa5, XsaveHeader);
inline constexpr unsigned long kGetXsave2 = _IOR(KVMIO, 0xcf, XsaveHeader);

}  // namespace qm::kvm
