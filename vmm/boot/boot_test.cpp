#include "vmm/boot/boot.h"

#include <asm/bootparam.h>
#include <elf.h>

#include <cstring>

#include <gtest/gtest.h>

#include "vmm/boot/command_line.h"
#include "vmm/boot/memory_map.h"
#include "vmm/boot/mp_table.h"
#include "vmm/os/mapping.h"

namespace qm::boot {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;
constexpr std::uint64_t kLoadAt = 16 * kMiB;

// The smallest vmlinux: a header, a load segment of 16 bytes and, if asked for, a PVH note. Tests bend its fields.
struct TinyElf {
  Elf64_Ehdr header{};
  Elf64_Phdr load{};
  Elf64_Phdr note{};
  struct {
    Elf64_Nhdr header{4, 4, 18};
    char name[4] = {'X', 'e', 'n', 0};
    std::uint32_t entry = kLoadAt + 8;
  } pvh;
  std::array<std::uint8_t, 16> code{0xf4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

  explicit TinyElf(bool withPvh = false) {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_EXEC;
    header.e_machine = EM_X86_64;
    header.e_phoff = sizeof header;
    header.e_phentsize = sizeof load;
    header.e_phnum = withPvh ? 2 : 1;
    header.e_entry = kLoadAt;
    load.p_type = PT_LOAD;
    load.p_offset = offsetof(TinyElf, code);
    load.p_paddr = kLoadAt;
    load.p_filesz = sizeof code;
    load.p_memsz = 0x3000;
    note.p_type = PT_NOTE;
    note.p_offset = offsetof(TinyElf, pvh);
    note.p_filesz = sizeof pvh;
  }

  FileDescriptor file(std::size_t bytes = sizeof(TinyElf)) const {
    FileDescriptor memfd = createMemfd("kernel", 0).value();
    EXPECT_TRUE(writeAt(memfd, 0, std::as_bytes(std::span(this, 1)).first(bytes)).has_value());
    return memfd;
  }
};

Result<EntryState> boot(const FileDescriptor& kernel, GuestMemory& memory, Protocol protocol = Protocol::automatic) {
  return loadGuest(memory, {.kernel = kernel, .commandLine = "quiet", .protocol = protocol}, {});
}

std::string refusal(const FileDescriptor& kernel) {
  GuestMemory memory = GuestMemory::anonymous(32 * kMiB).value();
  const auto result = boot(kernel, memory);
  if (result.has_value()) return "";
  EXPECT_EQ(result.error().remedy(), Remedy::fixInput);
  return result.error().text();
}

std::string refusal(const TinyElf& kernel) {
  return refusal(kernel.file());
}

FileDescriptor fileOf(std::string_view text) {
  FileDescriptor memfd = createMemfd("kernel", 0).value();
  EXPECT_TRUE(writeAt(memfd, 0, std::as_bytes(std::span(text))).has_value());
  return memfd;
}

TEST(Boot, AnElfKernelStartsInLongModeAtItsEntryWithTheZeroPage) {
  GuestMemory memory = GuestMemory::anonymous(32 * kMiB).value();
  const EntryState state = boot(TinyElf().file(), memory).value();
  EXPECT_EQ(state.registers.rip, kLoadAt);
  EXPECT_EQ(state.registers.rsi, kZeroPage.value);
  EXPECT_TRUE(state.system.cs.l);
  EXPECT_EQ(state.system.efer, 0x500U);
  EXPECT_EQ(memory.readObject<std::uint8_t>(GuestAddress{kLoadAt}).value(), 0xf4);
  const auto params = memory.readObject<boot_params>(kZeroPage).value();
  EXPECT_EQ(params.e820_entries, 2);
  EXPECT_EQ(params.e820_table[1].addr + params.e820_table[1].size, 32 * kMiB);
  EXPECT_EQ(params.hdr.cmd_line_ptr, kCommandLine.value);
}

TEST(Boot, TwoBootsGetDifferentSeeds) {
  GuestMemory first = GuestMemory::anonymous(32 * kMiB).value();
  GuestMemory second = GuestMemory::anonymous(32 * kMiB).value();
  ASSERT_TRUE(boot(TinyElf().file(), first).has_value());
  ASSERT_TRUE(boot(TinyElf().file(), second).has_value());
  using Seed = std::array<std::byte, 48>;
  EXPECT_NE(first.readObject<Seed>(kSetupData).value(), second.readObject<Seed>(kSetupData).value());
}

TEST(Boot, TheBytesBeyondASegmentsFileAreZeroEvenInUsedMemory) {
  GuestMemory memory = GuestMemory::anonymous(32 * kMiB).value();
  ASSERT_TRUE(memory.writeObject(GuestAddress{kLoadAt + 0x2000}, std::uint64_t{0xdead}).has_value());
  ASSERT_TRUE(boot(TinyElf().file(), memory).has_value());
  EXPECT_EQ(memory.readObject<std::uint64_t>(GuestAddress{kLoadAt + 0x2000}).value(), 0U);
}

TEST(Boot, APvhNoteIsPreferredAndCanBeDeclined) {
  GuestMemory memory = GuestMemory::anonymous(32 * kMiB).value();
  const EntryState pvh = boot(TinyElf(true).file(), memory).value();
  EXPECT_EQ(pvh.registers.rip, kLoadAt + 8);
  EXPECT_EQ(pvh.registers.rbx, kPvhStartInfo.value);
  EXPECT_TRUE(pvh.system.cs.db);
  EXPECT_EQ(memory.readObject<std::uint32_t>(kPvhStartInfo).value(), 0x336ec578U);
  EXPECT_EQ(boot(TinyElf(true).file(), memory, Protocol::linux64).value().registers.rip, kLoadAt);
  EXPECT_EQ(boot(TinyElf().file(), memory, Protocol::pvh).error().text(),
            "the kernel has no PVH note; build it with CONFIG_PVH=y, or boot it by the Linux protocol");
}

TEST(Boot, TheInitrdLiesAtTheTopOfLowMemory) {
  GuestMemory memory = GuestMemory::anonymous(32 * kMiB).value();
  const FileDescriptor kernel = TinyElf().file();
  const FileDescriptor initrd = fileOf("070701 and more");
  ASSERT_TRUE(loadGuest(memory, {.kernel = kernel, .initrd = &initrd}, {}).has_value());
  const auto params = memory.readObject<boot_params>(kZeroPage).value();
  EXPECT_EQ(params.hdr.ramdisk_image, 32 * kMiB - 4096);
  EXPECT_EQ(params.hdr.ramdisk_size, 15U);
  EXPECT_EQ(memory.readObject<char>(GuestAddress{32 * kMiB - 4096}).value(), '0');
}

TEST(Boot, AnInitrdThatDoesNotFitBehindTheKernelIsRefused) {
  GuestMemory memory = GuestMemory::anonymous(32 * kMiB).value();
  const FileDescriptor kernel = TinyElf().file();
  const FileDescriptor initrd = createMemfd("initrd", 17 * kMiB).value();
  EXPECT_FALSE(loadGuest(memory, {.kernel = kernel, .initrd = &initrd}, {}).has_value());
}

TEST(BadKernel, EachGetsOneSentence) {
  EXPECT_EQ(refusal(fileOf("")), "the kernel file is empty, or shorter than any kernel");
  EXPECT_EQ(refusal(fileOf(std::string(4096, 'x'))),
            "the kernel is neither an ELF file nor a bzImage; give an uncompressed vmlinux or a bzImage for x86-64");
  TinyElf narrow;
  narrow.header.e_ident[EI_CLASS] = ELFCLASS32;
  EXPECT_EQ(refusal(narrow), "the kernel is a 32-bit ELF file; build one for x86-64");
  TinyElf arm;
  arm.header.e_machine = EM_AARCH64;
  EXPECT_EQ(refusal(arm), "the kernel is an ELF file for another machine; build one for x86-64");
  TinyElf object;
  object.header.e_type = ET_REL;
  EXPECT_EQ(refusal(object), "the ELF file is no executable: give the linked vmlinux");
  TinyElf elsewhere;
  elsewhere.header.e_entry = kLoadAt + 0x3000;
  EXPECT_EQ(refusal(elsewhere), "the kernel's entry 0x1003000 lies in none of its segments");
  TinyElf low;
  low.load.p_paddr = 0x7000;
  EXPECT_EQ(refusal(low), "a segment of the kernel lies at 0x7000, outside of memory from 1 MiB up");
  TinyElf wrapped;
  wrapped.load.p_paddr = ~std::uint64_t{0xfff};
  EXPECT_EQ(refusal(wrapped), "a segment of the kernel lies at 0xfffffffffffff000, outside of memory from 1 MiB up");
  TinyElf large;
  large.load.p_memsz = 64 * kMiB;
  EXPECT_EQ(refusal(large),
            "a segment of the kernel lies at 0x1000000 to 0x5000000, which this guest's memory of 32 MiB does not "
            "hold; give it more");
}

TEST(BadKernel, OneThatIsCutOffAnywhereIsRefused) {
  const TinyElf whole(true);
  constexpr std::size_t kWhole = offsetof(TinyElf, code) + sizeof TinyElf::code;  // bar padding
  for (std::size_t bytes = 0; bytes < kWhole; ++bytes) {
    EXPECT_NE(refusal(whole.file(bytes)), "") << "cut at byte " << bytes;
  }
}

TEST(BadKernel, ANoteThatRunsPastItsSegmentIsRefused) {
  TinyElf kernel(true);
  kernel.pvh.header.n_namesz = 0xffff'fffc;
  EXPECT_EQ(refusal(kernel), "a note of the kernel runs past its segment");
}

// A bzImage of one setup sector and 1 KiB of code.
FileDescriptor bzImage(std::uint16_t version, std::uint16_t flags, std::size_t bytes = 2048) {
  std::vector<std::byte> image(bytes);
  setup_header header{};
  header.setup_sects = 1;
  header.boot_flag = 0xaa55;
  header.header = 0x53726448;
  header.version = version;
  header.xloadflags = flags;
  header.pref_address = kLoadAt;
  header.init_size = kMiB;
  header.jump = 0x6aeb;  // a header that ends at 0x26c
  std::memcpy(image.data() + 0x1f1, &header, std::min(sizeof header, bytes - 0x1f1));
  FileDescriptor file = createMemfd("bzImage", 0).value();
  EXPECT_TRUE(writeAt(file, 0, image).has_value());
  return file;
}

TEST(BzImage, StartsAtItsSixtyFourBitEntryAndGetsItsHeaderBack) {
  GuestMemory memory = GuestMemory::anonymous(32 * kMiB).value();
  EXPECT_EQ(boot(bzImage(0x20f, XLF_KERNEL_64), memory).value().registers.rip, kLoadAt + 0x200);
  EXPECT_EQ(memory.readObject<boot_params>(kZeroPage).value().hdr.version, 0x20f);
}

TEST(BadKernel, AnOldOrNarrowOrCutBzImageIsRefused) {
  EXPECT_EQ(refusal(bzImage(0x204, XLF_KERNEL_64)), "the bzImage speaks boot protocol 2.04; 2.12 or later is needed");
  EXPECT_EQ(refusal(bzImage(0x20f, 0)), "the bzImage has no 64-bit entry; build it for x86-64");
  EXPECT_EQ(refusal(bzImage(0x20f, XLF_KERNEL_64, 1400)), "the bzImage is cut off before its 64-bit entry");
}

TEST(CommandLine, DevicesFollowTheArgumentsAndTheLengthHasABound) {
  const std::vector<MmioDeviceHint> devices{{GuestAddress{0xc0001000}, 5}, {GuestAddress{0xc0002000}, 6}};
  EXPECT_EQ(commandLine("quiet", devices).value(),
            "quiet virtio_mmio.device=4K@0xc0001000:5 virtio_mmio.device=4K@0xc0002000:6");
  EXPECT_TRUE(commandLine(std::string(2047, 'x'), {}).has_value());
  EXPECT_FALSE(commandLine(std::string(2048, 'x'), {}).has_value());
  EXPECT_FALSE(commandLine(std::string("a\0b", 3), {}).has_value());
}

TEST(MpTable, BothStructuresAddUpToZeroAndFitForEightProcessors) {
  GuestMemory memory = GuestMemory::anonymous(2 * kMiB).value();
  ASSERT_TRUE(writeMpTable(memory, 8, {5, 6}).has_value());
  const auto area = memory.readObject<std::array<std::uint8_t, 1024>>(kMpTable).value();
  std::uint8_t pointer = 0, table = 0;
  for (std::size_t i = 0; i < 16; ++i) pointer = static_cast<std::uint8_t>(pointer + area[i]);
  const std::size_t tableBytes = area[20] + 256U * area[21];
  for (std::size_t i = 0; i < tableBytes; ++i) table = static_cast<std::uint8_t>(table + area[16 + i]);
  EXPECT_EQ(pointer, 0);
  EXPECT_EQ(table, 0);
  EXPECT_EQ(area[16 + 34], 8 + 1 + 1 + 24 + 2);
}

}  // namespace
}  // namespace qm::boot
