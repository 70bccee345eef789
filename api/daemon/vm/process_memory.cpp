#include "api/daemon/vm/process_memory.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "vmm/os/file_descriptor.h"
#include "vmm/os/mapping.h"

namespace qm {

namespace {

// "Private_Dirty:      1234 kB"; none when the text has no such line.
std::optional<std::uint64_t> bytesOf(std::string_view text, std::string_view field) {
  const std::size_t at = text.find(field);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + field.size());
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  std::uint64_t kib = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), kib).ec != std::errc()) return std::nullopt;
  return kib << 10U;
}

}  // namespace

Result<pool::MemoryUse> processMemory(pid_t pid) {
  const std::string text = TRY(readKernelFile("/proc/" + std::to_string(pid) + "/smaps_rollup"));
  return memoryFromRollup(text);
}

std::optional<std::uint64_t> anonymousMemory(pid_t pid) {
  constexpr std::size_t kLine = 256;
  const Result<std::string> text = readKernelFile("/proc/" + std::to_string(pid) + "/statm", kLine);
  return text.has_value() ? anonymousFromStatm(*text) : std::nullopt;
}

// "size resident shared …", in pages.
std::optional<std::uint64_t> anonymousFromStatm(std::string_view text) {
  std::array<std::uint64_t, 3> pages{};
  for (std::uint64_t& number : pages) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
  const auto [size, resident, shared] = pages;
  if (resident == 0 || shared > resident) return std::nullopt;
  return (resident - shared) * pageBytes();
}

Result<pool::MemoryUse> memoryFromRollup(std::string_view text) {
  const auto privateClean = bytesOf(text, "Private_Clean:");
  const auto privateDirty = bytesOf(text, "Private_Dirty:");
  const auto sharedClean = bytesOf(text, "Shared_Clean:");
  const auto sharedDirty = bytesOf(text, "Shared_Dirty:");
  if (!privateClean || !privateDirty || !sharedClean || !sharedDirty) {
    return Error(Remedy::giveUp, "smaps_rollup has not the fields of proc(5)");
  }
  return pool::MemoryUse{.privateBytes = *privateClean + *privateDirty, .sharedBytes = *sharedClean + *sharedDirty};
}

}  // namespace qm
