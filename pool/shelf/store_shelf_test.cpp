#include "pool/shelf/store_shelf.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/shelf/template_record.h"
#include "vmm/os/file_contents.h"
#include "vmm/os/testing/temp_folder.h"

namespace qm::pool {
namespace {

constexpr std::uint64_t kNonce = 0xfedc'ba98'7654'3210;  // above what a double holds

void write(const std::filesystem::path& file, std::string_view text) {
  std::ofstream(file) << text;
}

class StoreShelfTest : public testing::Test {
 protected:
  StoreShelfTest() {
    write(recipe.kernel, "a kernel");
    write(recipe.images[0], "an image");
    reopen();
  }
  // One process at a time has it open, so the old one goes first.
  void reopen() {
    shelf.reset();
    shelf = StoreShelf::open(folder.path() / "state").value();
  }
  TemplateImage publish(std::string_view memory = "memory") {
    const StagedSnapshot staged = shelf->stage().value();
    write(staged.state, "state");
    write(staged.memory, memory);
    return shelf->publish(staged, recipe, kNonce).value();
  }
  std::optional<TemplateImage> find() { return shelf->find(recipe).value(); }

  test::TempFolder folder;
  Recipe recipe{.name = "hello", .kernel = folder.path() / "vmlinux", .images = {folder.path() / "root.ext4"}};
  std::unique_ptr<StoreShelf> shelf;
};

TEST_F(StoreShelfTest, WhatWasPublishedIsFoundAndWholeAfterARestart) {
  EXPECT_FALSE(find());
  const TemplateImage image = publish();
  reopen();
  ASSERT_EQ(find(), image);
  EXPECT_EQ(find()->guestNonce, kNonce);
  EXPECT_TRUE(shelf->seal(image, recipe));
}

TEST_F(StoreShelfTest, AChangedRecipeOrFileFindsNothing) {
  publish();
  recipe.poolSize = 7;
  EXPECT_TRUE(find());
  recipe.warmUp = {{"import"}};
  EXPECT_FALSE(find());
  recipe.warmUp.clear();
  write(recipe.images[0], "another image");
  EXPECT_FALSE(find());
}

TEST_F(StoreShelfTest, AFlippedByteIsFoundByVerification) {
  const TemplateImage image = publish();
  write(image.memory, "memorz");
  EXPECT_FALSE(shelf->seal(image, recipe));
}

TEST_F(StoreShelfTest, WhatIsSealedDoesNotFollowTheFolder) {
  const TemplateImage image = publish();
  const auto files = shelf->seal(image, recipe).value();
  write(image.memory, "memorz");
  const auto bytes = contentsOf(files->memory, 100).value();
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), "memory");
  EXPECT_FALSE(writeAt(files->memory, 0, bytes));
  const auto again = openFile("/proc/self/fd/" + std::to_string(files->memory.get()), OpenMode::readWrite);
  EXPECT_FALSE(writeAt(*again, 0, bytes)) << "the seal holds whoever opens it how";
  ASSERT_EQ(files->images.size(), 1U);
  EXPECT_EQ(files->images[0].id, drivePlans(recipe)[0].id);
}

TEST_F(StoreShelfTest, ASupersededSnapshotIsRemovedAtTheNextOpening) {
  const TemplateImage first = publish();
  const TemplateImage second = publish("later memory");
  reopen();
  EXPECT_FALSE(std::filesystem::exists(first.folder));
  EXPECT_TRUE(std::filesystem::exists(second.folder));
}

TEST_F(StoreShelfTest, WhatWasDiscardedOrRemovedIsGone) {
  const StagedSnapshot staged = shelf->stage().value();
  shelf->discard(staged);
  EXPECT_FALSE(std::filesystem::exists(staged.folder));
  const TemplateImage image = publish();
  EXPECT_TRUE(shelf->remove(image));
  EXPECT_FALSE(find());
}

TEST(TemplateRecord, ComesBackAsItWas) {
  const TemplateRecord record{.recipeSha256 = "aa", .snapshot = "bb", .guestNonce = kNonce};
  EXPECT_EQ(parseRecord(formatRecord(record)).value(), record);
}

TEST(TemplateRecord, IsRefusedWhenItIsNone) {
  for (const char* text : {"", "[]", "{}", R"({"version":2,"recipe_sha256":"a","snapshot":"b","guest_nonce":"1"})",
                           R"({"version":1,"recipe_sha256":"a","snapshot":"../b","guest_nonce":"1"})",
                           R"({"version":1,"recipe_sha256":"a","snapshot":"b","guest_nonce":"1g"})",
                           R"({"version":1,"recipe_sha256":"a","snapshot":"b","guest_nonce":17})"}) {
    EXPECT_FALSE(parseRecord(text)) << text;
  }
}

}  // namespace
}  // namespace qm::pool
