#include "vmm/hypervisor/soft/blocks/block_key.h"

namespace qm::soft {

namespace {

constexpr unsigned kModeShift = 52;
constexpr std::uint64_t kAddressMask = (std::uint64_t{1} << kModeShift) - 1;

// Bits of a mode.
constexpr unsigned kVectorShift = 2, kX87Shift = 4, kMmxShift = 6, kVexShift = 8;
constexpr std::uint64_t kKnownBits = 0x3ff;

std::uint64_t modeBits(const SystemState& system) {
  return static_cast<std::uint64_t>(system.codeSize) | static_cast<std::uint64_t>(system.vectorUnit) << kVectorShift |
         static_cast<std::uint64_t>(system.x87Unit) << kX87Shift |
         static_cast<std::uint64_t>(system.mmxUnit) << kMmxShift |
         static_cast<std::uint64_t>(system.vexUnit) << kVexShift;
}

}  // namespace

BlockKey blockKey(std::uint64_t physical, const SystemState& system) {
  return (physical & kAddressMask) | modeBits(system) << kModeShift;
}

std::uint64_t physicalOf(BlockKey key) {
  return key & kAddressMask;
}

std::uint16_t modeOf(BlockKey key) {
  return static_cast<std::uint16_t>(key >> kModeShift);
}

bool setMode(SystemState& system, BlockKey key) {
  const std::uint64_t bits = key >> kModeShift;
  if ((bits & ~kKnownBits) != 0) return false;
  const auto field = [bits](unsigned shift) { return static_cast<std::uint8_t>(bits >> shift & 3U); };
  constexpr auto kLastUnitState = static_cast<std::uint8_t>(UnitState::invalid);
  if (field(0) > static_cast<std::uint8_t>(CodeSize::bits64)) return false;
  for (const unsigned shift : {kVectorShift, kX87Shift, kMmxShift, kVexShift})
    if (field(shift) > kLastUnitState) return false;
  system.codeSize = static_cast<CodeSize>(field(0));
  system.vectorUnit = static_cast<UnitState>(field(kVectorShift));
  system.x87Unit = static_cast<UnitState>(field(kX87Shift));
  system.mmxUnit = static_cast<UnitState>(field(kMmxShift));
  system.vexUnit = static_cast<UnitState>(field(kVexShift));
  return true;
}

}  // namespace qm::soft
