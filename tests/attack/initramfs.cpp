#include "tests/attack/initramfs.h"

#include <cstddef>
#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>

#include "vmm/result/check.h"

namespace qm::test {

namespace {

struct Entry {
  std::string name;
  unsigned mode = 0;  // with the type
  unsigned major = 0;
  unsigned minor = 0;
  std::string contents;
};

std::string padded(std::string text) {
  text.resize((text.size() + 3) / 4 * 4, '\0');
  return text;
}

std::string packed(const Entry& entry) {
  // magic, then ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
  std::string header =
      fmt::format("070701{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}", 0, entry.mode,
                  0, 0, 1, 0, entry.contents.size(), 0, 0, entry.major, entry.minor, entry.name.size() + 1, 0);
  header += entry.name;
  header += '\0';
  return padded(std::move(header)) + padded(entry.contents);
}

}  // namespace

void writeInitramfs(const std::filesystem::path& program, const std::filesystem::path& archive) {
  std::ifstream file(program, std::ios::binary);
  const std::string init{std::istreambuf_iterator<char>(file), {}};
  CHECK(!init.empty());
  std::ofstream out(archive, std::ios::binary);
  out << packed({.name = "dev", .mode = 0040755})
      << packed({.name = "dev/console", .mode = 0020600, .major = 5, .minor = 1})
      << packed({.name = "init", .mode = 0100755, .contents = init}) << packed({.name = "TRAILER!!!"});
  CHECK(out.good());
}

}  // namespace qm::test
