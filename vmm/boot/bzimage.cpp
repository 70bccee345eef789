#include "vmm/boot/bzimage.h"

#include <asm/bootparam.h>

#include <cstring>
#include <span>

#include <fmt/format.h>

#include "vmm/boot/memory_map.h"

namespace qm::boot {

namespace {

constexpr std::uint64_t kHeaderOffset = 0x1f1;
constexpr std::uint32_t kMagic = 0x5372'6448;  // "HdrS"
constexpr std::uint16_t kBootFlag = 0xaa55;
constexpr std::uint16_t kOldestProtocol = 0x20c;

Error bad(std::string sentence) {
  return {Remedy::fixInput, std::move(sentence)};
}

Status checkHeader(const setup_header& header) {
  if (header.boot_flag != kBootFlag || header.header != kMagic) {
    return bad("the kernel is neither an ELF file nor a bzImage; give an uncompressed vmlinux or a bzImage for x86-64");
  }
  if (header.version < kOldestProtocol) {
    return bad(fmt::format("the bzImage speaks boot protocol {}.{:02}; 2.12 or later is needed", header.version >> 8U,
                           header.version & 0xffU));
  }
  if ((header.xloadflags & XLF_KERNEL_64) == 0) return bad("the bzImage has no 64-bit entry; build it for x86-64");
  return {};
}

}  // namespace

Result<KernelImage> loadBzImage(const FileDescriptor& file, GuestMemory& memory) {
  setup_header header{};
  TRY(readAt(file, kHeaderOffset, std::as_writable_bytes(std::span(&header, 1)))
          .during("the kernel is neither an ELF file nor a whole bzImage"));
  TRY(checkHeader(header));
  const std::uint64_t setupSectors = header.setup_sects == 0 ? 4 : header.setup_sects;  // 0 means 4, by the protocol
  const std::uint64_t codeOffset = (setupSectors + 1) * 512;
  const std::uint64_t size = TRY(fileBytes(file));
  if (size <= codeOffset + 0x200) return bad("the bzImage is cut off before its 64-bit entry");
  const std::uint64_t codeBytes = size - codeOffset;
  // What it takes from there on: the code itself, or init_size while it inflates.
  const std::uint64_t needed = std::max<std::uint64_t>(codeBytes, header.init_size);
  if (header.syssize != 0 && codeBytes < std::uint64_t{header.syssize} * 16) {
    return bad(fmt::format("the bzImage is cut off: it says that it has {} bytes of code, {} are there",
                           std::uint64_t{header.syssize} * 16, codeBytes));
  }
  const GuestAddress at{header.pref_address};
  const auto room = memory.hostRange(at, needed);
  if (at < kHighMemory || !room.has_value()) {
    return bad(fmt::format(
        "the bzImage needs {} MiB at {:#x}, which this guest's memory of {} MiB does not hold; give it more",
        (needed >> 20U) + 1, at.value, memory.bytes() >> 20U));
  }
  TRY(readAt(file, codeOffset, room->first(codeBytes)).during("reading the bzImage"));
  memory.markDirty(at, codeBytes);
  KernelImage image{.end = GuestAddress{(at.value + needed + 0xfff) & ~std::uint64_t{0xfff}}, .entry64 = at + 0x200};
  // The header's length is told by its jump instruction (boot.rst: byte 0x201 plus 0x202); beyond it lies code.
  const auto headerEnd = static_cast<std::uint64_t>(header.jump >> 8U) + 0x202;
  const std::uint64_t headerBytes =
      std::min<std::uint64_t>(headerEnd - std::min(headerEnd, kHeaderOffset), sizeof header);
  image.setupHeader.resize(headerBytes);
  std::memcpy(image.setupHeader.data(), &header, headerBytes);
  return image;
}

}  // namespace qm::boot
