// A slot page as whoever starts a VMM has it: made, given away by its descriptor, and read.
//
// The file is sealed: whoever has it can neither shrink it, so that a reader never meets its end, nor grow it or take
// the seals away. What is on it is the VMM's to write, and so is hostile.
#pragma once

#include <chrono>
#include <optional>

#include "vmm/os/file_descriptor.h"
#include "vmm/os/mapping.h"
#include "vmm/result/result.h"
#include "vmm/slot/slot_view.h"

namespace qm::slot {

class SlotPage {
 public:
  static Result<SlotPage> make();

  // To be given to the VMM; once that is done the number can be saved.
  const FileDescriptor& file() const { return file_; }
  void closeFile() { file_.close(); }

  // Each word is read once. Threads: one at a time. giveUp: the page says what cannot be, of itself or after what it
  // said before, and stays refused.
  Result<View> read();

 private:
  SlotPage(FileDescriptor file, Mapping mapping, std::chrono::steady_clock::time_point madeAt)
      : file_(std::move(file)), mapping_(std::move(mapping)), madeAt_(madeAt) {}

  FileDescriptor file_;
  Mapping mapping_;
  std::chrono::steady_clock::time_point madeAt_;
  std::optional<View> last_;
  std::optional<Error> refused_;
};

}  // namespace qm::slot
