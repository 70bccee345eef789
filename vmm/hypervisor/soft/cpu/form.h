// How much a memory operand's address may need: each form has a handler of its own where that pays.
#pragma once

#include <cstdint>

namespace qm::soft {

enum class Form : std::uint8_t {
  base,     // 64-bit mode: base + displacement
  indexed,  // 64-bit mode: base + (index << scale) + displacement
  any,      // all of these, FS and GS, and the legacy ways
};

}  // namespace qm::soft
