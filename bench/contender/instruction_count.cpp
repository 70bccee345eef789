#include "bench/contender/instruction_count.h"

#include <charconv>

namespace qm::bench {

std::optional<std::uint64_t> instructionsIn(std::string_view log) {
  constexpr std::string_view kLine = " cpu.ended instructions=";
  const std::size_t at = log.rfind(kLine);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view number = log.substr(at + kLine.size());
  std::uint64_t count = 0;
  if (std::from_chars(number.data(), number.data() + number.size(), count).ec != std::errc()) return std::nullopt;
  return count;
}

}  // namespace qm::bench
