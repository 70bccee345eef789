// What the lines of a script do to the machine of a controller.
#pragma once

#include <filesystem>
#include <functional>
#include <utility>

#include "api/vmm/script/stage.h"
#include "vmm/machine/machine.h"

namespace qm::vmm {

class ControllerStage final : public script::Stage {
 public:
  // The machine outlives it. onEnd: the program is to end, with that code.
  ControllerStage(Machine& machine, std::filesystem::path vsockSocket, std::function<void(int)> onEnd)
      : machine_(machine), vsockSocket_(std::move(vsockSocket)), onEnd_(std::move(onEnd)) {}

  // What the console has no room for is an error: the guest would miss it.
  Status play(const script::Type& type) override;
  Status play(const script::PressCtrlAltDel& press) override;
  // Goes on afterwards if it ran.
  Status play(const script::Save& save) override;
  Status play(const script::Pause& pause) override;
  Status play(const script::Stop& stop) override;
  std::filesystem::path vsockSocket() const override { return vsockSocket_; }

 private:
  Machine& machine_;
  std::filesystem::path vsockSocket_;
  std::function<void(int)> onEnd_;
};

}  // namespace qm::vmm
