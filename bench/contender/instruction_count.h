// What a VM's CPU in software counted, as quickmatch-vmm's log tells when the VM ends.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace qm::bench {

// Of the line "… cpu.ended instructions=N …"; none when there is none.
std::optional<std::uint64_t> instructionsIn(std::string_view log);

}  // namespace qm::bench
