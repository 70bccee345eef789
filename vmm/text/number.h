// A number as people and programs write it.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace qm {

// Digits from the first character to the last, a minus before them where T has one. None: anything else, and what T
// has no room for.
template <class T>
std::optional<T> numberFrom(std::string_view word, int base = 10) {
  T number{};
  const auto [read, failed] = std::from_chars(word.begin(), word.end(), number, base);
  return failed == std::errc() && read == word.end() ? std::optional(number) : std::nullopt;
}

}  // namespace qm
