#include "pool/template/recipe.h"

#include <algorithm>

#include <fmt/format.h>

namespace qm::pool {
namespace {

constexpr std::size_t kLongestName = 63;
constexpr std::uint8_t kMostVcpus = 8;
constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kLeastMemory = 16ULL << 20;
constexpr std::uint32_t kMostReady = 10'000;
// A VMM without a guest has some two; less than this would end it before it answers.
constexpr std::uint32_t kLeastVmmMib = 16;
constexpr std::uint32_t kMostVmmMib = 1U << 16U;
constexpr std::uint32_t kMostPercent = 100'000;

bool isLower(char c) {
  return c >= 'a' && c <= 'z';
}

bool isName(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName && isLower(text.front()) &&
         std::ranges::all_of(text, [](char c) { return isLower(c) || (c >= '0' && c <= '9') || c == '-'; });
}

Status checkCommands(std::string_view which, const std::vector<Command>& commands) {
  for (const Command& command : commands) {
    if (command.empty() || command.front().empty()) {
      return Error(Remedy::fixInput, fmt::format("{} has a command without a program: name one", which));
    }
  }
  return {};
}

Error outside(std::string_view what, std::uint64_t value, std::string_view range) {
  return {Remedy::fixInput, fmt::format("{} is {}: give {}", what, value, range)};
}

}  // namespace

Status check(const Recipe& recipe) {
  if (!isName(recipe.name)) {
    return Error(Remedy::fixInput, "a template's name is 1 to 63 of a-z, 0-9 and dash, beginning with a letter");
  }
  if (recipe.kernel.empty()) return Error(Remedy::fixInput, "the recipe names no kernel");
  if (recipe.vcpus < 1 || recipe.vcpus > kMostVcpus) return outside("vcpus", recipe.vcpus, "1 to 8");
  if (recipe.memoryBytes < kLeastMemory || recipe.memoryBytes % kPage != 0) {
    return outside("memory", recipe.memoryBytes, "at least 16 MiB, in whole pages");
  }
  if (recipe.poolSize > kMostReady) return outside("the pool's size", recipe.poolSize, "at most 10000");
  if (recipe.network.egress.size() > kMostDestinations)
    return outside("the number of destinations", recipe.network.egress.size(), "at most 256");
  if (recipe.network.kind == NetworkKind::none && !recipe.network.egress.empty())
    return Error(Remedy::fixInput, "guests without a network reach no destination: give them a slot, or none of these");
  if (recipe.limits.vmmMemoryMib < kLeastVmmMib || recipe.limits.vmmMemoryMib > kMostVmmMib) {
    return outside("the VMM's memory", recipe.limits.vmmMemoryMib, "16 to 65536 MiB");
  }
  if (recipe.limits.cpuPercent > kMostPercent) {
    return outside("the processor's percentage", recipe.limits.cpuPercent, "at most 100000");
  }
  TRY(checkCommands("the warm-up", recipe.warmUp));
  TRY(checkCommands("the list of hooks before the snapshot", recipe.beforeSnapshot));
  TRY(checkCommands("the rehearsal", recipe.rehearsal));
  return checkCommands("the list of hooks after the restore", recipe.afterRestore);
}

bool makeSameSnapshot(const Recipe& a, const Recipe& b) {
  Recipe kept = a;
  kept.poolSize = b.poolSize;
  kept.reuse = b.reuse;
  kept.limits = b.limits;
  return kept == b;
}

std::vector<DrivePlan> drivePlans(const Recipe& recipe) {
  std::vector<DrivePlan> drives;
  for (const auto& image : recipe.images) {
    drives.push_back({.id = fmt::format("drive{}", drives.size()), .image = image});
  }
  return drives;
}

BootPlan bootPlan(const Recipe& recipe) {
  return {.templateName = recipe.name,
          .kernel = recipe.kernel,
          .initrd = recipe.initrd,
          .drives = drivePlans(recipe),
          .bootArguments = recipe.bootArguments,
          .vcpus = recipe.vcpus,
          .memoryBytes = recipe.memoryBytes,
          .cpuTemplate = recipe.cpuTemplate,
          .limits = recipe.limits,
          .network = recipe.network};
}

}  // namespace qm::pool
