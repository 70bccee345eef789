#include "tests/attack/bare/tables.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace hostile {

namespace {

constexpr std::uint64_t kPresentWritable = 3, kLargePage = 1U << 7U;

using Table = std::array<std::uint64_t, 512>;
alignas(4096) constinit Table top{};
alignas(4096) constinit Table pointers{};
alignas(4096) constinit std::array<Table, 4> directories{};

std::uint64_t entryTo(const Table& table) {
  return reinterpret_cast<std::uintptr_t>(&table) | kPresentWritable;
}

}  // namespace

void mapFourGiB() {
  top[0] = entryTo(pointers);
  for (std::size_t gib = 0; gib < directories.size(); ++gib) {
    pointers[gib] = entryTo(directories[gib]);
    for (std::size_t i = 0; i < 512; ++i)
      directories[gib][i] = (gib << 30U) | (i << 21U) | kLargePage | kPresentWritable;
  }
  asm volatile("mov %0, %%cr3" ::"r"(&top) : "memory");
}

}  // namespace hostile
