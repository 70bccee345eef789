#include "vmm/os/untrusted_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "vmm/os/testing/temp_folder.h"

namespace qm {
namespace {

class UntrustedFileTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(openFile(file("plain"), OpenMode::createNew).has_value()); }
  std::filesystem::path file(const char* name) const { return folder.path() / name; }

  test::TempFolder folder;
};

TEST_F(UntrustedFileTest, APlainFileIsAdoptedReadOnly) {
  ASSERT_TRUE(adoptFile(file("plain"), file("ours")).has_value());
  struct stat facts{};
  ASSERT_EQ(::stat(file("ours").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777U, 0444U);
  EXPECT_EQ(facts.st_uid, ::geteuid());
  EXPECT_FALSE(std::filesystem::exists(file("plain")));
}

TEST_F(UntrustedFileTest, ALinkOfEitherKindAFolderAndAPipeAreRefusedAndWhatTheyLeadToIsUntouched) {
  std::filesystem::create_symlink(file("plain"), file("symbolic"));
  std::filesystem::create_directory(file("folder"));
  ASSERT_EQ(::mkfifo(file("pipe").c_str(), 0600), 0);
  for (const char* name : {"symbolic", "folder", "pipe", "nothing"}) {
    EXPECT_FALSE(openUntrusted(file(name)).has_value()) << name;
    EXPECT_FALSE(adoptFile(file(name), file("ours")).has_value()) << name;
    EXPECT_FALSE(std::filesystem::exists(file("ours"))) << name;
  }
  std::filesystem::create_hard_link(file("plain"), file("hard"));
  EXPECT_FALSE(adoptFile(file("hard"), file("ours")).has_value());
  struct stat facts{};
  ASSERT_EQ(::stat(file("plain").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777U, 0600U);
}

}  // namespace
}  // namespace qm
