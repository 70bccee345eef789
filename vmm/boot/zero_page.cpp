#include "vmm/boot/zero_page.h"

#include <asm/bootparam.h>

#include <array>
#include <cstring>

#include "vmm/boot/memory_map.h"
#include "vmm/os/random.h"
#include "vmm/result/check.h"

namespace qm::boot {

namespace {

constexpr std::uint32_t kSetupRngSeed = 9;  // since Linux 6.0; older headers lack the name
constexpr std::uint32_t kE820Ram = 1;

struct RngSeed {
  std::uint64_t next = 0;
  std::uint32_t type = kSetupRngSeed;
  std::uint32_t bytes = 32;
  std::array<std::byte, 32> seed{};
};
static_assert(sizeof(RngSeed) == 48);

void setDefaultHeader(setup_header& header) {
  header.boot_flag = 0xaa55;
  header.header = 0x5372'6448;  // "HdrS"
  header.kernel_alignment = 0x100'0000;
}

}  // namespace

std::vector<MemoryRange> usableRam(const GuestMemory& memory) {
  std::vector<MemoryRange> usable;
  for (const GuestMemory::Region& region : memory.regions()) {
    const MemoryRange& range = region.range;
    if (range.start.value != 0) {
      usable.push_back(range);
      continue;
    }
    usable.push_back({.start = GuestAddress{0}, .bytes = kMpTable.value});
    usable.push_back({.start = kHighMemory, .bytes = range.end() - kHighMemory, .fileOffset = kHighMemory.value});
  }
  return usable;
}

Status writeZeroPage(GuestMemory& memory, std::span<const std::uint8_t> setupHeader, std::uint64_t commandLineBytes,
                     const std::optional<InitrdPlace>& initrd) {
  boot_params params{};
  if (setupHeader.empty()) {
    setDefaultHeader(params.hdr);
  } else {
    CHECK(setupHeader.size() <= sizeof params.hdr);
    std::memcpy(&params.hdr, setupHeader.data(), setupHeader.size());
  }
  params.hdr.type_of_loader = 0xff;  // none of the registered ones
  params.hdr.loadflags |= LOADED_HIGH;
  params.hdr.cmd_line_ptr = static_cast<std::uint32_t>(kCommandLine.value);
  params.hdr.cmdline_size = static_cast<std::uint32_t>(commandLineBytes);
  params.hdr.setup_data = kSetupData.value;
  if (initrd) {
    params.hdr.ramdisk_image = static_cast<std::uint32_t>(initrd->start.value);
    params.hdr.ramdisk_size = static_cast<std::uint32_t>(initrd->bytes);
  }
  for (const MemoryRange& range : usableRam(memory)) {
    boot_e820_entry& entry = params.e820_table[params.e820_entries++];
    entry.addr = range.start.value;
    entry.size = range.bytes;
    entry.type = kE820Ram;
  }
  RngSeed seed;
  fillRandom(seed.seed);
  TRY(memory.writeObject(kSetupData, seed));
  return memory.writeObject(kZeroPage, params);
}

}  // namespace qm::boot
