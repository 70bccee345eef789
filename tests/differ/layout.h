// The sandbox: the memory in which a case runs, at the same virtual addresses in this process and in the guest, so that
// pointers, faults and x87 instruction pointers agree.
//
//   harness   the code that loads a state, jumps to the case and stores the state; runs in user mode on both sides
//   control   what the harness works with
//   slots     one case each, kSlots of them, so that many cases run without leaving the guest:
//               state | code code | - | data data readonly | - | stack stack | -        (a page each; '-': nothing
//               there)
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "tests/differ/addresses.h"

namespace qm::differ {

inline constexpr std::uint64_t kPage = 4096;
inline constexpr std::uint64_t kSandbox = DIFFER_SANDBOX;
inline constexpr std::uint64_t kControl = DIFFER_CONTROL;
inline constexpr std::uint64_t kSlotBytes = DIFFER_SLOT_BYTES;
inline constexpr std::size_t kSlots = 64;
inline constexpr std::uint64_t kFirstSlot = kSandbox + kSlotBytes;
inline constexpr std::uint64_t kSandboxBytes = kSlotBytes * (1 + kSlots);

// Offsets in a slot.
inline constexpr std::uint64_t kStateAt = 0;
inline constexpr std::uint64_t kCodeAt = 1 * kPage, kCodeBytes = 2 * kPage;
inline constexpr std::uint64_t kDataAt = 4 * kPage, kDataBytes = 2 * kPage;
inline constexpr std::uint64_t kReadOnlyAt = kDataAt + kDataBytes;
inline constexpr std::uint64_t kStackAt = 8 * kPage, kStackBytes = 2 * kPage;

constexpr std::uint64_t slotAddress(std::size_t slot) {
  return kFirstSlot + slot * kSlotBytes;
}

// What user mode may do with the pages of a slot, and of the area in front of the slots; elsewhere, nothing.
enum class PageAccess : std::uint8_t { readExecute, readOnly, readWrite, readWriteExecute };
struct Part {
  std::uint64_t offset, bytes;
  PageAccess access;
};
inline constexpr std::array kSlotParts{
    Part{kStateAt, kPage, PageAccess::readWrite}, Part{kCodeAt, kCodeBytes, PageAccess::readWriteExecute},
    Part{kDataAt, kDataBytes, PageAccess::readWrite}, Part{kReadOnlyAt, kPage, PageAccess::readOnly},
    Part{kStackAt, kStackBytes, PageAccess::readWrite}};
inline constexpr std::array kFrontParts{Part{0, kPage, PageAccess::readExecute},
                                        Part{kControl - kSandbox, kPage, PageAccess::readWrite}};

// x87 and SSE state as FXSAVE64 stores it (SDM 1, table 10-2 with the 64-bit pointers of table 3-45 in 2A, FXSAVE).
struct alignas(16) FxArea {
  std::uint16_t fcw = 0x37f;
  std::uint16_t fsw = 0;
  std::uint8_t ftw = 0;  // one bit a register, by number: 1 is in use
  std::uint8_t reserved = 0;
  std::uint16_t fop = 0;
  std::uint64_t fip = 0;
  std::uint64_t fdp = 0;
  std::uint32_t mxcsr = 0x1f80;
  std::uint32_t mxcsrMask = 0;
  std::array<std::array<std::uint8_t, 16>, 8> st{};  // ST(i), the stack's order; the upper six bytes are unused
  std::array<std::array<std::uint8_t, 16>, 16> xmm{};
  std::array<std::uint8_t, 96> available{};
  bool operator==(const FxArea&) const = default;
};

// The order in which the harness pops and pushes them.
enum class Gpr : std::uint8_t { rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15, rflags, rsp };
inline constexpr std::size_t kGprs = 17;
using Gprs = std::array<std::uint64_t, kGprs>;
constexpr std::size_t at(Gpr gpr) {
  return static_cast<std::size_t>(gpr);
}

// Bits 255 to 128 of the YMM registers.
using UpperHalves = std::array<std::array<std::uint8_t, 16>, 16>;

struct LoadedState {
  FxArea fx;
  std::uint64_t fsBase = 0;
  std::uint64_t gsBase = 0;
  std::uint64_t entry = 0;
  Gprs gprs{};
  UpperHalves upper{};
};

inline constexpr std::uint64_t kNoVector = ~std::uint64_t{0};

struct StoredState {
  FxArea fx;
  std::uint64_t fsBase = 0;
  std::uint64_t gsBase = 0;
  std::uint64_t vector = kNoVector;  // of the exception that ended the case
  std::uint64_t errorCode = 0;
  std::uint64_t rip = 0;  // of the exception; 0 without one
  std::uint64_t cr2 = 0;  // of a page fault
  Gprs gprs{};
  std::uint64_t unused = 0;  // in place of padding, so that bytes compare
  UpperHalves upper{};
};

struct Control {
  std::uint64_t current = 0;  // the address of the slot that runs
  std::uint64_t end = 0;      // of the last slot
  std::uint64_t exit = 0;     // where the harness goes then
  std::uint64_t epilogue = 0;
  std::uint64_t target = 0, savedRsp = 0, hostRsp = 0, hostFs = 0, hostGs = 0;  // the harness's own
  std::uint64_t hasAvx = 0;  // whether it loads and stores upper halves
};

static_assert(sizeof(FxArea) == 512 && offsetof(FxArea, st) == 32 && offsetof(FxArea, xmm) == 160);
static_assert(DIFFER_IN_FX == offsetof(LoadedState, fx) && DIFFER_IN_FS == offsetof(LoadedState, fsBase));
static_assert(DIFFER_IN_GS == offsetof(LoadedState, gsBase) && DIFFER_IN_ENTRY == offsetof(LoadedState, entry));
static_assert(DIFFER_IN_GPRS == offsetof(LoadedState, gprs) && sizeof(LoadedState) <= DIFFER_OUT);
static_assert(DIFFER_OUT_FX == DIFFER_OUT + offsetof(StoredState, fx));
static_assert(DIFFER_OUT_FS == DIFFER_OUT + offsetof(StoredState, fsBase));
static_assert(DIFFER_OUT_GS == DIFFER_OUT + offsetof(StoredState, gsBase));
static_assert(DIFFER_OUT_VECTOR == DIFFER_OUT + offsetof(StoredState, vector));
static_assert(DIFFER_OUT_ERROR == DIFFER_OUT + offsetof(StoredState, errorCode));
static_assert(DIFFER_OUT_RIP == DIFFER_OUT + offsetof(StoredState, rip));
static_assert(DIFFER_OUT_CR2 == DIFFER_OUT + offsetof(StoredState, cr2));
static_assert(DIFFER_OUT_GPRS == DIFFER_OUT + offsetof(StoredState, gprs));
static_assert(DIFFER_IN_UPPER == offsetof(LoadedState, upper));
static_assert(DIFFER_OUT_UPPER == DIFFER_OUT + offsetof(StoredState, upper));
static_assert(DIFFER_OUT_RSP == DIFFER_OUT_GPRS + at(Gpr::rsp) * 8 && DIFFER_OUT + sizeof(StoredState) <= kPage);
static_assert(DIFFER_CURRENT == kControl + offsetof(Control, current) &&
              DIFFER_END == kControl + offsetof(Control, end));
static_assert(DIFFER_EXIT == kControl + offsetof(Control, exit));
static_assert(DIFFER_EPILOGUE == kControl + offsetof(Control, epilogue));
static_assert(DIFFER_TARGET == kControl + offsetof(Control, target));
static_assert(DIFFER_SAVED_RSP == kControl + offsetof(Control, savedRsp));
static_assert(DIFFER_HOST_RSP == kControl + offsetof(Control, hostRsp));
static_assert(DIFFER_HOST_FS == kControl + offsetof(Control, hostFs));
static_assert(DIFFER_HOST_GS == kControl + offsetof(Control, hostGs));
static_assert(DIFFER_HAS_AVX == kControl + offsetof(Control, hasAvx));
static_assert(DIFFER_HOST_FX >= kControl + sizeof(Control) && DIFFER_CONTROL_STACK == kControl + kPage);

}  // namespace qm::differ
