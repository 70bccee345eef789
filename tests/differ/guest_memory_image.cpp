#include "tests/differ/guest_memory_image.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "tests/differ/harness.h"
#include "vmm/result/check.h"

extern "C" {
extern const std::uint8_t differKernel[], differKernelEnd[], differKernelDone[], differKernelStubs[];
}

namespace qm::differ {

namespace {

constexpr std::uint64_t kGdt = 0x1000, kIdt = 0x2000, kTss = 0x3000;
// The root; a directory of each lower level; three tables, of 2 MiB each.
constexpr std::uint64_t kPml4 = 0x1'0000, kPointers = 0x1'1000, kDirectory = 0x1'2000, kTables = 0x1'3000;
constexpr std::uint64_t kTableCount = 3, kPerTable = 2UL * 1024 * 1024;
constexpr std::uint64_t kPresent = 1, kWritable = 2, kUser = 4, kLarge = 1U << 7U, kNoExecute = 1ULL << 63U;
constexpr std::uint16_t kKernelCode = 0x10, kKernelData = 0x18, kTask = 0x40;
constexpr std::uint32_t kTaskLimit = 0x67;
static_assert(kTableCount * kPerTable >= kSandboxBytes && kSandboxInRam + kSandboxBytes <= kRamBytes);

class Writer {
 public:
  explicit Writer(std::span<std::uint8_t> ram) : ram_(ram) {}
  void bytes(std::uint64_t to, std::span<const std::uint8_t> from) {
    std::ranges::copy(from, ram_.subspan(to, from.size()).begin());
  }
  void word(std::uint64_t to, std::uint64_t value) { std::memcpy(ram_.subspan(to, 8).data(), &value, 8); }

 private:
  std::span<std::uint8_t> ram_;
};

std::uint64_t entryBits(PageAccess access) {
  switch (access) {
    case PageAccess::readExecute:
      return kPresent | kUser;
    case PageAccess::readOnly:
      return kPresent | kUser | kNoExecute;
    case PageAccess::readWrite:
      return kPresent | kUser | kWritable | kNoExecute;
    case PageAccess::readWriteExecute:
      return kPresent | kUser | kWritable;
  }
  std::unreachable();
}

void mapPart(Writer& writer, std::uint64_t start, const Part& part) {
  for (std::uint64_t at = start + part.offset; at < start + part.offset + part.bytes; at += kPage) {
    const std::uint64_t page = (at - kSandbox) / kPage;
    writer.word(kTables + page * 8, (kSandboxInRam + page * kPage) | entryBits(part.access));
  }
}

// 4-level paging, SDM 3A, 4.5. The first 2 MiB are the kernel's alone.
void writePageTables(Writer& writer) {
  constexpr std::uint64_t kAll = kPresent | kWritable | kUser;
  writer.word(kPml4, kPointers | kAll);
  writer.word(kPointers, kDirectory | kAll);
  writer.word(kDirectory, kPresent | kWritable | kLarge);
  static_assert(kSandbox % kPerTable == 0);
  for (std::uint64_t i = 0; i < kTableCount; ++i)
    writer.word(kDirectory + (kSandbox / kPerTable + i) * 8, (kTables + i * kPage) | kAll);
  for (const Part& part : kFrontParts) mapPart(writer, kSandbox, part);
  for (std::size_t slot = 0; slot < kSlots; ++slot)
    for (const Part& part : kSlotParts) mapPart(writer, slotAddress(slot), part);
}

// Selectors of user mode as Linux has them, so that instructions which read them agree. SDM 3A, 3.4.5 and 7.2.3.
void writeGdt(Writer& writer) {
  writer.word(kGdt + kKernelCode, 0x00af'9b00'0000'ffff);
  writer.word(kGdt + kKernelData, 0x00cf'9300'0000'ffff);
  writer.word(kGdt + (DIFFER_USER_STACK & ~7U), 0x00cf'f300'0000'ffff);
  writer.word(kGdt + (DIFFER_USER_CODE & ~7U), 0x00af'fb00'0000'ffff);
  static_assert(kTss < 0x1'0000);
  writer.word(kGdt + kTask, 0x0000'8b00'0000'0000 | kTss << 16U | kTaskLimit);
  writer.word(kTss + 4, DIFFER_KERNEL_STACK);  // RSP0
  // The I/O permission map begins beyond the end: no port is user mode's. SDM 1, 19.5.2.
  constexpr std::uint64_t kMapBaseAt = 102;
  writer.word(kTss + kMapBaseAt, kTaskLimit + 1);
}

// An interrupt gate of 64-bit mode, SDM 3A, figure 6-8.
void writeGate(Writer& writer, std::uint64_t vector, std::uint64_t handler, std::uint64_t privilege) {
  constexpr std::uint64_t kPresentInterruptGate = 0x8e;
  writer.word(kIdt + vector * 16, (handler & 0xffffU) | std::uint64_t{kKernelCode} << 16U |
                                      (kPresentInterruptGate | privilege << 5U) << 40U |
                                      (handler >> 16U & 0xffffU) << 48U);
}

void writeIdt(Writer& writer) {
  constexpr std::uint64_t kStubBytes = 16, kExceptions = 32, kBreakpoint = 3, kUserPrivilege = 3;
  const auto addressOf = [](const std::uint8_t* symbol) {
    return DIFFER_KERNEL_CODE + static_cast<std::uint64_t>(symbol - differKernel);
  };
  for (std::uint64_t vector = 0; vector < kExceptions; ++vector)
    writeGate(writer, vector, addressOf(differKernelStubs) + vector * kStubBytes,
              vector == kBreakpoint ? kUserPrivilege : 0);
  writeGate(writer, DIFFER_DONE_VECTOR, addressOf(differKernelDone), kUserPrivilege);
}

}  // namespace

void writeKernel(std::span<std::uint8_t> ram, std::span<const std::uint8_t> readOnlyPage) {
  CHECK(ram.size() == kRamBytes && readOnlyPage.size() == kPage);
  Writer writer(ram);
  writer.bytes(DIFFER_KERNEL_CODE, {differKernel, differKernelEnd});
  writer.bytes(kSandboxInRam, harnessCode());
  for (std::size_t slot = 0; slot < kSlots; ++slot)
    writer.bytes(kSandboxInRam + (slotAddress(slot) - kSandbox) + kReadOnlyAt, readOnlyPage);
  writePageTables(writer);
  writeGdt(writer);
  writeIdt(writer);
}

Registers kernelRegisters() {
  return {.rsp = DIFFER_KERNEL_STACK, .rip = DIFFER_KERNEL_CODE};
}

SystemRegisters kernelSystemRegisters(const SystemRegisters& reset) {
  SystemRegisters system = reset;
  system.cs = {
      .limit = 0xffff'ffff, .selector = kKernelCode, .type = 0xb, .s = true, .present = true, .l = true, .g = true};
  system.ss = {
      .limit = 0xffff'ffff, .selector = kKernelData, .type = 0x3, .s = true, .present = true, .db = true, .g = true};
  system.ds = system.es = system.fs = system.gs = {.unusable = true};
  system.tr = {.base = kTss, .limit = kTaskLimit, .selector = kTask, .type = 0xb, .present = true};
  system.ldt = {.unusable = true};
  system.gdt = {.base = kGdt, .limit = kTask + 15};
  system.idt = {.base = kIdt, .limit = 256 * 16 - 1};
  // As Linux sets them, where user mode can tell: AM and FSGSBASE among them.
  constexpr std::uint64_t kPe = 1, kMp = 2, kEt = 1U << 4U, kNe = 1U << 5U, kWp = 1U << 16U, kAm = 1U << 18U,
                          kPg = 1U << 31U;
  constexpr std::uint64_t kPae = 1U << 5U, kPge = 1U << 7U, kOsfxsr = 1U << 9U, kOsxmmexcpt = 1U << 10U,
                          kFsGsBase = 1U << 16U;
  constexpr std::uint64_t kSce = 1, kLme = 1U << 8U, kLma = 1U << 10U, kNxe = 1U << 11U;
  system.cr0 = kPe | kMp | kEt | kNe | kWp | kAm | kPg;
  system.cr3 = kPml4;
  system.cr4 = kPae | kPge | kOsfxsr | kOsxmmexcpt | kFsGsBase;
  system.efer = kSce | kLme | kLma | kNxe;
  return system;
}

}  // namespace qm::differ
