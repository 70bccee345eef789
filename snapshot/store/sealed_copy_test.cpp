#include "snapshot/store/sealed_copy.h"

#include <sys/stat.h>

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vmm/os/testing/temp_folder.h"

namespace qm::snapshot {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint32_t kPage = 4096;

class SealedCopyTest : public testing::Test {
 protected:
  // Of so many pages, with an 'x' at the start of each of these.
  SealedCopy copyOf(std::uint64_t pages, const std::vector<std::uint32_t>& data) {
    {
      std::ofstream out(path, std::ios::binary);
      for (const std::uint32_t page : data) {
        out.seekp(std::streamoff{page} * kPage);
        out.put('x');
      }
    }
    std::filesystem::resize_file(path, pages * kPage);
    return sealedCopy(path).value();
  }
  static std::uint64_t pagesIn(const SealedCopy& copy) {
    struct stat status{};
    EXPECT_EQ(::fstat(copy.file.get(), &status), 0);
    return static_cast<std::uint64_t>(status.st_blocks) * 512 / kPage;
  }

  test::TempFolder folder;
  std::filesystem::path path = folder.path() / "memory";
};

// A piece that is read is 256 pages: the first hole lies in three of them.
TEST_F(SealedCopyTest, LongHolesStayAndShortOnesAreFilled) {
  const SealedCopy copy = copyOf(2048, {100, 700, 800});
  EXPECT_THAT(copy.holes, ElementsAre(PageRun{.first = 101, .count = 599}, PageRun{.first = 801, .count = 1247}));
  EXPECT_EQ(pagesIn(copy), 2048U - 599 - 1247);
  EXPECT_EQ(fileBytes(copy.file).value(), 2048U * kPage);
  std::array<std::byte, 1> byte{};
  ASSERT_TRUE(readAt(copy.file, std::uint64_t{700} * kPage, byte).has_value());
  EXPECT_EQ(byte.front(), std::byte{'x'});
}

TEST_F(SealedCopyTest, AFileThatIsNotWholePagesKeepsItsSize) {
  std::ofstream(path) << "state";
  const SealedCopy copy = sealedCopy(path).value();
  EXPECT_THAT(copy.holes, IsEmpty());
  EXPECT_EQ(fileBytes(copy.file).value(), 5U);
}

TEST(Worthwhile, OfTooManyTheLongest) {
  std::vector<PageRun> holes;
  for (std::uint32_t i = 0; i < 100; ++i) holes.push_back({.first = i * 2000, .count = i < 50 ? kLeastHole : 1000});
  const std::vector<PageRun> left = worthwhile(holes);
  EXPECT_THAT(left, SizeIs(50));
  EXPECT_EQ(left.front(), (PageRun{.first = 100'000, .count = 1000}));
  EXPECT_THAT(worthwhile(std::vector<PageRun>(1000, {.first = 0, .count = 300})), IsEmpty());
}

}  // namespace
}  // namespace qm::snapshot
