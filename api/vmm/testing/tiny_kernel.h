// The smallest file that loads as a kernel: one segment with one instruction.
#pragma once

#include <elf.h>

#include <cstring>
#include <filesystem>
#include <span>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/check.h"

namespace qm::test {

inline void writeTinyKernel(const std::filesystem::path& path) {
  constexpr std::uint64_t kLoadAt = 16U << 20U;  // where Linux would be
  struct {
    Elf64_Ehdr header{};
    Elf64_Phdr load{};
    std::uint8_t code[16] = {0xf4};  // hlt
  } elf;
  std::memcpy(elf.header.e_ident, ELFMAG, SELFMAG);
  elf.header.e_ident[EI_CLASS] = ELFCLASS64;
  elf.header.e_ident[EI_DATA] = ELFDATA2LSB;
  elf.header.e_type = ET_EXEC;
  elf.header.e_machine = EM_X86_64;
  elf.header.e_phoff = sizeof elf.header;
  elf.header.e_phentsize = sizeof elf.load;
  elf.header.e_phnum = 1;
  elf.header.e_entry = kLoadAt;
  elf.load.p_type = PT_LOAD;
  elf.load.p_offset = sizeof elf.header + sizeof elf.load;
  elf.load.p_paddr = kLoadAt;
  elf.load.p_filesz = elf.load.p_memsz = sizeof elf.code;
  const FileDescriptor file = openFile(path, OpenMode::create).value();
  CHECK(writeAt(file, 0, std::as_bytes(std::span(&elf, 1))).has_value());
}

}  // namespace qm::test
