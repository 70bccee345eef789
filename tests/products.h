// What the project built for guests, in its cache.
#pragma once

#include <cstdlib>
#include <filesystem>

namespace qm::test {

inline std::filesystem::path products() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  // XDG Base Directory Specification: empty is as good as not set.
  const std::filesystem::path base = cache != nullptr && *cache != '\0'
                                         ? std::filesystem::path(cache)
                                         : std::filesystem::path(home != nullptr ? home : "/") / ".cache";
  return base / "quickmatch";
}

inline std::filesystem::path kernelProduct() {
  return products() / "guest-kernel/current/vmlinux";
}

inline std::filesystem::path imageProduct(const char* name) {
  return products() / "images/current" / name;
}

}  // namespace qm::test
