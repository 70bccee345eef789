#include "vmm/hypervisor/soft/blocks/semantics_id.h"

#include <elf.h>
#include <link.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>

#include "vmm/hypervisor/soft/host/host_cpu.h"

namespace qm::soft {

namespace {

constexpr std::size_t kBuildIdBytes = 20;

// A note is three words (sizes of name and description, type), the name, the description, each padded to 4 bytes
// (System V ABI, "Note Section"). The program's own, so what it says of itself is true.
bool copyBuildId(std::span<const std::byte> notes, SemanticsId& id) {
  constexpr std::size_t kHeader = 12;
  const auto padded = [](std::size_t bytes) { return (bytes + 3) & ~std::size_t{3}; };
  while (notes.size() >= kHeader) {
    std::array<std::uint32_t, 3> header{};
    std::memcpy(header.data(), notes.data(), kHeader);
    const auto [nameBytes, bytes, type] = header;
    const std::size_t whole = kHeader + padded(nameBytes) + padded(bytes);
    if (notes.size() < whole) return false;
    const auto name = notes.subspan(kHeader, nameBytes),
               description = notes.subspan(kHeader + padded(nameBytes), bytes);
    if (type == NT_GNU_BUILD_ID && nameBytes == 4 && std::memcmp(name.data(), "GNU", 4) == 0 && bytes >= 8) {
      std::ranges::copy(description.first(std::min(description.size(), kBuildIdBytes)), id.begin());
      return true;
    }
    notes = notes.subspan(whole);
  }
  return false;
}

// The first object is the program itself.
int lookAtProgram(dl_phdr_info* info, std::size_t /*size*/, void* found) {
  for (const auto& segment : std::span(info->dlpi_phdr, info->dlpi_phnum)) {
    if (segment.p_type != PT_NOTE) continue;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader tells addresses as numbers
    const auto* notes = reinterpret_cast<const std::byte*>(info->dlpi_addr + segment.p_vaddr);
    if (copyBuildId({notes, segment.p_memsz}, *static_cast<SemanticsId*>(found))) return 1;
  }
  return 2;
}

// What the host's CPU has of all that an operation may be chosen by.
std::uint64_t hostFeatures() {
  const HostCan can = hostCan();
  std::uint64_t bits = 0;
  for (const bool one : {can.bmi1, can.bmi2, can.lzcnt, can.movbe, can.adx, can.aes, can.pclmul, can.sha, can.avx,
                         can.avx2, can.fma, can.f16c})
    bits = bits << 1U | (one ? 1U : 0U);
  return bits;
}

}  // namespace

std::optional<SemanticsId> semanticsId() {
  SemanticsId id{};
  if (::dl_iterate_phdr(&lookAtProgram, &id) != 1) return std::nullopt;
  const std::uint64_t features = hostFeatures();
  std::memcpy(id.data() + kBuildIdBytes, &features, sizeof features);
  return id;
}

}  // namespace qm::soft
