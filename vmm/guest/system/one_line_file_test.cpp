#include "vmm/guest/system/one_line_file.h"

#include <sys/stat.h>

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "vmm/os/file_descriptor.h"
#include "vmm/os/testing/temp_folder.h"

namespace qm::guest {
namespace {

std::string contentsOf(const std::filesystem::path& path) {
  const auto bytes = readWholeFile(path, 4096).value();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

mode_t modeOf(const std::filesystem::path& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 0777U;
}

TEST(OneLineFile, IsMadeForEverybodyToRead) {
  const test::TempFolder folder;
  const std::filesystem::path path = folder.path() / "hostname";
  ASSERT_TRUE(writeLine(path.c_str(), "clone").has_value());
  EXPECT_EQ(contentsOf(path), "clone\n");
  EXPECT_EQ(modeOf(path), 0644U);
}

TEST(OneLineFile, KeepsNothingOfALongerLineNorOfAShorterOne) {
  const test::TempFolder folder;
  const std::filesystem::path path = folder.path() / "hostname";
  for (const std::string text : {"a-rather-long-name", "short", "longer-again"}) {
    ASSERT_TRUE(writeLine(path.c_str(), text).has_value());
    EXPECT_EQ(contentsOf(path), text + "\n");
  }
}

TEST(OneLineFile, KeepsTheModeOfOneThatIsThere) {
  const test::TempFolder folder;
  const std::filesystem::path path = folder.path() / "machine-id";
  ASSERT_TRUE(writeLine(path.c_str(), "one").has_value());
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  ASSERT_TRUE(writeLine(path.c_str(), "two").has_value());
  EXPECT_EQ(modeOf(path), 0600U);
}

}  // namespace
}  // namespace qm::guest
