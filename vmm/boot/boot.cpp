#include "vmm/boot/boot.h"

#include <algorithm>

#include <fmt/format.h>

#include "vmm/boot/bzimage.h"
#include "vmm/boot/elf_kernel.h"
#include "vmm/boot/memory_map.h"
#include "vmm/boot/mp_table.h"
#include "vmm/boot/pvh_start_info.h"
#include "vmm/boot/zero_page.h"

namespace qm::boot {

namespace {

// At the top of low RAM, where the kernel's own early allocations do not want to be; below 4 GiB, as 32-bit fields name
// it.
Result<InitrdPlace> loadInitrd(GuestMemory& memory, const FileDescriptor& initrd, GuestAddress kernelEnd) {
  const std::uint64_t bytes = TRY(fileBytes(initrd));
  const MemoryRange low = memory.regions().front().range;
  const std::uint64_t room = low.end() > kernelEnd ? low.end() - kernelEnd : 0;
  if (bytes == 0 || bytes > room) {
    return Error(
        Remedy::fixInput,
        fmt::format(
            "the initrd has {} bytes and {} are free behind the kernel; it must not be empty, nor larger than that",
            bytes, room));
  }
  const GuestAddress start{(low.end().value - bytes) & ~std::uint64_t{0xfff}};
  if (start < kernelEnd)
    return Error(Remedy::fixInput, "the initrd does not fit behind the kernel; give the guest more memory");
  const std::span<std::byte> host = TRY(memory.hostRange(start, bytes));
  TRY(readAt(initrd, 0, host).during("reading the initrd"));
  memory.markDirty(start, bytes);
  return InitrdPlace{start, bytes};
}

Status writeCommandLine(GuestMemory& memory, const std::string& line) {
  if (line.size() >= kCommandLineBytes)
    return Error(Remedy::fixInput, "the kernel's command line is longer than 2047 bytes");
  return memory.write(kCommandLine, std::as_bytes(std::span(line.c_str(), line.size() + 1)));
}

}  // namespace

Result<EntryState> loadGuest(GuestMemory& memory, const BootSource& source, const SystemRegisters& reset) {
  if (memory.bytes() < kLeastMemoryBytes) return Error(Remedy::fixInput, "a guest needs 2 MiB of memory at least");
  const bool elf = TRY(isElf(source.kernel));
  const KernelImage image = elf ? TRY(loadElf(source.kernel, memory)) : TRY(loadBzImage(source.kernel, memory));
  if (source.protocol == Protocol::pvh && !image.pvhEntry) {
    return Error(Remedy::fixInput,
                 "the kernel has no PVH note; build it with CONFIG_PVH=y, or boot it by the Linux protocol");
  }
  std::optional<InitrdPlace> initrd;
  if (source.initrd != nullptr) initrd = TRY(loadInitrd(memory, *source.initrd, image.end));
  TRY(writeCommandLine(memory, source.commandLine));
  TRY(writeMpTable(memory, source.vcpus, source.levelPins));
  if (image.pvhEntry && source.protocol != Protocol::linux64) {
    TRY(writePvhStartInfo(memory, initrd));
    return enterProtectedMode(memory, reset, *image.pvhEntry);
  }
  TRY(writeZeroPage(memory, image.setupHeader, source.commandLine.size() + 1, initrd));
  return enterLongMode(memory, reset, image.entry64);
}

}  // namespace qm::boot
