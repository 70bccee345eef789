#include "vmm/boot/elf_kernel.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <span>

#include <fmt/format.h>

#include "vmm/boot/memory_map.h"

namespace qm::boot {

namespace {

constexpr std::uint32_t kXenPhys32Entry = 18;
constexpr std::uint64_t kLongestNotes = 1 << 20;

Error bad(std::string sentence) {
  return {Remedy::fixInput, std::move(sentence)};
}

template <class T>
Result<T> readStruct(const FileDescriptor& file, std::uint64_t offset, const char* what) {
  T value;
  TRY(readAt(file, offset, std::as_writable_bytes(std::span(&value, 1)))
          .during(fmt::format("reading the kernel's {}", what)));
  return value;
}

Status checkHeader(const Elf64_Ehdr& header) {
  if (header.e_ident[EI_CLASS] != ELFCLASS64) return bad("the kernel is a 32-bit ELF file; build one for x86-64");
  if (header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != EM_X86_64)
    return bad("the kernel is an ELF file for another machine; build one for x86-64");
  if (header.e_type != ET_EXEC && header.e_type != ET_DYN)
    return bad("the ELF file is no executable: give the linked vmlinux");
  if (header.e_phentsize != sizeof(Elf64_Phdr))
    return bad(fmt::format("the ELF file's program headers have {} bytes each, not {}", header.e_phentsize,
                           sizeof(Elf64_Phdr)));
  if (header.e_phnum == 0 || header.e_phnum > 64)
    return bad(fmt::format("the ELF file has {} program headers; a kernel has 1 to 64", header.e_phnum));
  return {};
}

Status loadSegment(const FileDescriptor& file, const Elf64_Phdr& segment, GuestMemory& memory) {
  const std::uint64_t end = segment.p_paddr + segment.p_memsz;
  if (segment.p_filesz > segment.p_memsz)
    return bad("a segment of the kernel has more bytes in the file than in memory");
  if (segment.p_paddr < kHighMemory.value || end < segment.p_paddr) {
    return bad(fmt::format("a segment of the kernel lies at {:#x}, outside of memory from 1 MiB up", segment.p_paddr));
  }
  auto host = memory.hostRange(GuestAddress{segment.p_paddr}, segment.p_memsz);
  if (!host.has_value()) {
    return bad(
        fmt::format("a segment of the kernel lies at {:#x} to {:#x}, which this guest's memory of {} MiB does not "
                    "hold; give it more",
                    segment.p_paddr, end, memory.bytes() >> 20U));
  }
  TRY(readAt(file, segment.p_offset, host->first(segment.p_filesz)).during("the kernel is cut off in a segment"));
  std::ranges::fill(host->subspan(segment.p_filesz), std::byte{0});
  memory.markDirty(GuestAddress{segment.p_paddr}, segment.p_memsz);
  return {};
}

// One note: header, name and description, each padded to 4 bytes. Returns the PVH entry, if this is its note.
Result<std::optional<GuestAddress>> findPvhNote(std::span<const std::byte> notes) {
  const auto padded = [](std::uint64_t bytes) { return (bytes + 3) & ~std::uint64_t{3}; };
  while (notes.size() >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr note;
    std::memcpy(&note, notes.data(), sizeof note);
    const std::uint64_t description = sizeof note + padded(note.n_namesz);
    const std::uint64_t end = description + padded(note.n_descsz);
    if (end > notes.size()) return bad("a note of the kernel runs past its segment");
    const bool isXen = note.n_namesz == 4 && std::memcmp(notes.data() + sizeof note, "Xen", 4) == 0;
    if (isXen && note.n_type == kXenPhys32Entry && note.n_descsz >= 4) {
      std::uint32_t entry = 0;
      std::memcpy(&entry, notes.data() + description, sizeof entry);
      return GuestAddress{entry};
    }
    notes = notes.subspan(end);
  }
  return std::nullopt;
}

}  // namespace

Result<bool> isElf(const FileDescriptor& file) {
  std::array<std::byte, SELFMAG> start{};
  if (TRY(fileBytes(file)) < start.size()) return bad("the kernel file is empty, or shorter than any kernel");
  TRY(readAt(file, 0, start));
  return std::memcmp(start.data(), ELFMAG, SELFMAG) == 0;
}

Result<KernelImage> loadElf(const FileDescriptor& file, GuestMemory& memory) {
  const auto header = TRY(readStruct<Elf64_Ehdr>(file, 0, "ELF header"));
  TRY(checkHeader(header));
  KernelImage image{.entry64 = GuestAddress{header.e_entry}};
  bool entryInside = false;
  for (std::uint16_t i = 0; i < header.e_phnum; ++i) {
    const std::uint64_t at = header.e_phoff + std::uint64_t{i} * sizeof(Elf64_Phdr);
    if (at < header.e_phoff) return bad("the ELF file's program headers lie outside of the file");
    const auto segment = TRY(readStruct<Elf64_Phdr>(file, at, "program headers"));
    if (segment.p_type == PT_NOTE && !image.pvhEntry) {
      if (segment.p_filesz > kLongestNotes) return bad("the kernel's notes are longer than 1 MiB");
      std::vector<std::byte> notes(segment.p_filesz);
      TRY(readAt(file, segment.p_offset, notes).during("reading the kernel's notes"));
      image.pvhEntry = TRY(findPvhNote(notes));
    }
    if (segment.p_type != PT_LOAD || segment.p_memsz == 0) continue;
    TRY(loadSegment(file, segment, memory));
    entryInside |= header.e_entry >= segment.p_paddr && header.e_entry - segment.p_paddr < segment.p_memsz;
    image.end = std::max(image.end, GuestAddress{(segment.p_paddr + segment.p_memsz + 0xfff) & ~std::uint64_t{0xfff}});
  }
  if (image.end == GuestAddress{}) return bad("the ELF file has nothing to load");
  if (!entryInside) return bad(fmt::format("the kernel's entry {:#x} lies in none of its segments", header.e_entry));
  if (image.pvhEntry && (*image.pvhEntry < kHighMemory || *image.pvhEntry >= image.end)) {
    return bad(fmt::format("the kernel's PVH entry {:#x} lies outside of it", image.pvhEntry->value));
  }
  return image;
}

}  // namespace qm::boot
