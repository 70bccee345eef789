#include "snapshot/file/save.h"

#include <system_error>

#include <fmt/format.h>

#include "snapshot/file/memory_image.h"
#include "snapshot/state/codec.h"

namespace qm::snapshot {

namespace {

std::filesystem::path folderOf(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : ".";
}

Status checkPlace(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(folderOf(path), ignored)) {
    return Error(Remedy::fixInput, fmt::format("{} has no folder to stand in: make it first", path.string()));
  }
  if (std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) {
    return Error(Remedy::fixInput,
                 fmt::format("{} is there already, and running clones may use it: choose another name", path.string()));
  }
  return {};
}

// A file that is removed again unless it was kept.
class NewFile {
 public:
  static Result<NewFile> create(const std::filesystem::path& path) {
    return NewFile(path, TRY(openFile(path, OpenMode::createNew)));
  }
  NewFile(NewFile&& other) = default;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile() {
    std::error_code ignored;
    if (descriptor_.isOpen()) std::filesystem::remove(path_, ignored);
  }

  const FileDescriptor& descriptor() const { return descriptor_; }
  void keep() { descriptor_.close(); }

 private:
  NewFile(std::filesystem::path path, FileDescriptor descriptor)
      : path_(std::move(path)), descriptor_(std::move(descriptor)) {}

  std::filesystem::path path_;
  FileDescriptor descriptor_;
};

// The name of a new file lasts only when its folder is synchronised too (Linux fsync(2)).
Status synchroniseFolder(const std::filesystem::path& folder) {
  const FileDescriptor descriptor = TRY(openFile(folder, OpenMode::read));
  return synchronise(descriptor);
}

}  // namespace

Status saveFiles(const MachineState& state, const GuestMemory& memory, const std::filesystem::path& statePath,
                 const std::filesystem::path& memoryPath) {
  if (state.memoryBytes != memory.bytes()) {
    return Error(Remedy::fixInput,
                 fmt::format("the state is of {} bytes of memory and {} were given: save both of one machine",
                             state.memoryBytes, memory.bytes()));
  }
  TRY(checkPlace(statePath));
  TRY(checkPlace(memoryPath));
  const std::vector<std::byte> bytes = encode(state);
  // What a reader would refuse is refused here, while the machine is there to be looked at.
  TRY(decode(bytes).during("checking the state to save"));

  NewFile memoryFile = TRY(NewFile::create(memoryPath));
  TRY(writeMemoryImage(memory, memoryFile.descriptor()).during("writing " + memoryPath.string()));
  TRY(synchronise(memoryFile.descriptor()).during("writing " + memoryPath.string()));
  NewFile stateFile = TRY(NewFile::create(statePath));
  TRY(writeAt(stateFile.descriptor(), 0, bytes).during("writing " + statePath.string()));
  TRY(synchronise(stateFile.descriptor()).during("writing " + statePath.string()));
  TRY(synchroniseFolder(folderOf(memoryPath)));
  TRY(synchroniseFolder(folderOf(statePath)));
  memoryFile.keep();
  stateFile.keep();
  return {};
}

}  // namespace qm::snapshot
