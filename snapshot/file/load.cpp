#include "snapshot/file/load.h"

#include <fmt/format.h>

#include "snapshot/state/codec.h"

namespace qm::snapshot {

namespace {

// Eight vCPUs with every list at its bound, and a thousand devices, are below it.
constexpr std::uint64_t kMaxStateBytes = std::uint64_t{64} << 20;

Result<GuestMemory> mapMemory(const FileDescriptor& file, std::string_view name, std::uint64_t bytes,
                              std::span<const PageRun> holes) {
  const std::uint64_t inFile = TRY(fileBytes(file));
  if (inFile != bytes) {
    return Error(
        Remedy::fixInput,
        fmt::format("{} has {} bytes where the snapshot's state wants {}: name the memory file that was saved with it, "
                    "or copy it again",
                    name, inFile, bytes));
  }
  return GuestMemory::ofSparseFile(file, bytes, holes);
}

Result<std::vector<std::byte>> readState(const FileDescriptor& file) {
  const std::uint64_t size = TRY(fileBytes(file));
  if (size > kMaxStateBytes)
    return Error(Remedy::fixInput, fmt::format("a state of {} bytes, which no machine has", size));
  std::vector<std::byte> bytes(size);
  TRY(readAt(file, 0, bytes));
  return bytes;
}

Result<Loaded> load(std::span<const std::byte> bytes, std::string_view stateName, const FileDescriptor& memoryFile,
                    std::string_view memoryName, std::span<const PageRun> memoryHoles) {
  MachineState state = TRY(decode(bytes).during(fmt::format("loading {}", stateName)));
  GuestMemory memory = TRY(mapMemory(memoryFile, memoryName, state.memoryBytes, memoryHoles));
  return Loaded{.state = std::move(state), .memory = std::move(memory)};
}

}  // namespace

Result<Loaded> loadOpen(const FileDescriptor& state, const FileDescriptor& memory,
                        std::span<const PageRun> memoryHoles) {
  const std::vector<std::byte> bytes = TRY(readState(state).during("reading the snapshot's state"));
  return load(bytes, "the snapshot's state", memory, "the memory file", memoryHoles);
}

Result<Loaded> loadInto(const FileDescriptor& state, GuestMemory memory) {
  const std::vector<std::byte> bytes = TRY(readState(state).during("reading the snapshot's state"));
  MachineState decoded = TRY(decode(bytes).during("loading the snapshot's state"));
  if (memory.bytes() != decoded.memoryBytes)
    return Error(Remedy::fixInput, "the memory that is mapped is not of the snapshot's size");
  return Loaded{.state = std::move(decoded), .memory = std::move(memory)};
}

Result<Loaded> loadFiles(const std::filesystem::path& statePath, const std::filesystem::path& memoryPath) {
  const std::vector<std::byte> bytes = TRY(readWholeFile(statePath, kMaxStateBytes));
  // Without a memory file the state is judged first: what is wrong with both is wrong with it.
  Result<FileDescriptor> memory = openFile(memoryPath, OpenMode::read);
  if (!memory.has_value()) {
    TRY(decode(bytes).during("loading " + statePath.string()));
    return std::move(memory).error();
  }
  return load(bytes, statePath.native(), *memory, memoryPath.native(), {});
}

}  // namespace qm::snapshot
