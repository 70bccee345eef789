#include "api/vmm/controller/controller_stage.h"

#include <cstdint>
#include <span>

#include <fmt/format.h>

#include "snapshot/file/save.h"

namespace qm::vmm {

Status ControllerStage::play(const script::Type& type) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(type.bytes.data());  // chars are the console's bytes
  const std::size_t taken = machine_.typeToConsole(std::span(bytes, type.bytes.size()));
  if (taken == type.bytes.size()) return {};
  return Error(Remedy::fixInput,
               fmt::format("the console has room for {} of {} bytes, since the guest has not read what "
                           "was typed before: type later",
                           taken, type.bytes.size()));
}

Status ControllerStage::play(const script::PressCtrlAltDel& /*press*/) {
  machine_.pressCtrlAltDel();
  return {};
}

Status ControllerStage::play(const script::Save& save) {
  const bool ran = machine_.phase() == RunPhase::running;
  machine_.pause();
  const MachineState state = TRY(machine_.save());
  TRY(snapshot::saveFiles(state, machine_.memory(), save.state, save.memory));
  return ran ? machine_.resume() : Status();
}

Status ControllerStage::play(const script::Pause& /*pause*/) {
  machine_.pause();
  return {};
}

Status ControllerStage::play(const script::Stop& /*stop*/) {
  machine_.pause();
  onEnd_(0);
  return {};
}

}  // namespace qm::vmm
