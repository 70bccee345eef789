// Decodes one block: reads the guest's bytes and lowers instruction after instruction.
#pragma once

#include <cstdint>
#include <span>

#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/soft/cpu/operation.h"
#include "vmm/hypervisor/soft/decode/emitter.h"

namespace qm::soft {

// Where the next instruction is: its page, found and watched, and its linear address.
struct CodePlace {
  CodeTlb::Entry page;
  std::uint64_t linear = 0;
};

enum class BlockLength : std::uint8_t { straightLine, oneInstruction };

struct BuiltBlock {
  std::size_t operations = 0;  // 0: the fetch of a second page faulted (cpu.stop)
  std::size_t instructions = 0;
  std::uint64_t secondPage = 0;  // physical, of an instruction that reaches into it; 0: none
  std::size_t bytes = 0;         // of the instructions; none of what is no instruction
  bool hasLinks = false;         // its last operation can be linked to what follows it (Operation::chain)
};

// At most so many operations are made.
inline constexpr std::size_t kMostOperations = Emitter::kMostOperations;

// Nor more instructions.
inline constexpr std::size_t kMostInstructions = 32;

// The page of a linear address as code, watched. Null: the fetch faults (cpu.stop).
const CodeTlb::Entry* codePage(Cpu& cpu, std::uint64_t linear);

BuiltBlock buildBlock(Cpu& cpu, const CodePlace& place, BlockLength length, std::span<Operation> room);

}  // namespace qm::soft
