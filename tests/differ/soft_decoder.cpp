#include "tests/differ/soft_decoder.h"

#include <array>

#include "vmm/hypervisor/soft/decode/emitter.h"
#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::differ {

IsModelled modelledBySoft() {
  return [](std::span<const std::uint8_t, ZYDIS_MAX_INSTRUCTION_LENGTH> example) {
    soft::Instruction instruction;
    if (soft::decode(std::as_bytes(example), soft::CodeSize::bits64, instruction) != soft::DecodeFailure::none)
      return false;
    const soft::Lower lower = soft::loweringFor(instruction);
    if (lower == nullptr) return false;
    std::array<soft::Operation, 2 * soft::Emitter::kMostPerInstruction> room;
    soft::Emitter emitter(room);
    emitter.begin(instruction, 0);
    return lower(instruction, emitter);
  };
}

}  // namespace qm::differ
