// What a script's lines do to a machine.
#pragma once

#include <filesystem>

#include "api/vmm/script/input_script.h"
#include "vmm/result/result.h"

namespace qm::vmm::script {

class Stage {
 public:
  virtual ~Stage() = default;

  // All on the loop's thread, at the line's moment of a machine that stands still. Errors say what was in the way.
  virtual Status play(const Type& type) = 0;
  virtual Status play(const PressCtrlAltDel& press) = 0;
  virtual Status play(const Save& save) = 0;
  virtual Status play(const Pause& pause) = 0;
  virtual Status play(const Stop& stop) = 0;
  // The machine's vsock; empty: it has none.
  virtual std::filesystem::path vsockSocket() const = 0;
};

}  // namespace qm::vmm::script
