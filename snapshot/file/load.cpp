#include "snapshot/file/load.h"

#include <fmt/format.h>

#include "snapshot/state/codec.h"

namespace qm::snapshot {

namespace {

// Eight vCPUs with every list at its bound, and a thousand devices, are below it.
constexpr std::uint64_t kMaxStateBytes = std::uint64_t{64} << 20;

Result<GuestMemory> mapMemory(const std::filesystem::path& path, std::uint64_t bytes) {
  const FileDescriptor file = TRY(openFile(path, OpenMode::read));
  const std::uint64_t inFile = TRY(fileBytes(file));
  if (inFile != bytes) {
    return Error(
        Remedy::fixInput,
        fmt::format("{} has {} bytes where the snapshot's state wants {}: name the memory file that was saved with it, "
                    "or copy it again",
                    path.string(), inFile, bytes));
  }
  return GuestMemory::ofFile(file, bytes, Sharing::privateCopy);
}

}  // namespace

Result<Loaded> loadFiles(const std::filesystem::path& statePath, const std::filesystem::path& memoryPath) {
  const std::vector<std::byte> bytes = TRY(readWholeFile(statePath, kMaxStateBytes));
  MachineState state = TRY(decode(bytes).during("loading " + statePath.string()));
  GuestMemory memory = TRY(mapMemory(memoryPath, state.memoryBytes));
  return Loaded{.state = std::move(state), .memory = std::move(memory)};
}

}  // namespace qm::snapshot
