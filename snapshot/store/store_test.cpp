#include "snapshot/store/store.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vmm/os/testing/temp_folder.h"

namespace qm::snapshot {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Provenance kProvenance{.cpuTemplate = "qm-v1",
                             .kernelSha256 = std::string(64, 'a'),
                             .initrdSha256 = "",
                             .imageSha256 = {{"data", std::string(64, 'c')}, {"root", std::string(64, 'b')}}};

// As large as it must be for a file that is read in more than one piece.
const std::string kMemory = std::string(1 << 20, 'm') + "end";

void writeFile(const fs::path& path, const std::string& contents) {
  std::ofstream(path, std::ios::binary) << contents;
}

std::string readFile(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void flip(const fs::path& path, std::size_t at) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(static_cast<std::streamoff>(at));
  const int byte = file.get();
  file.seekp(static_cast<std::streamoff>(at));
  file.put(static_cast<char>(byte ^ 1));
}

class StoreTest : public ::testing::Test {
 protected:
  fs::path stageFiles() {
    fs::path staging = store_.stage().value();
    writeFile(staging / kStateName, "state");
    writeFile(staging / kMemoryName, kMemory);
    return staging;
  }
  fs::path published() { return store_.publish(stageFiles(), kProvenance).value(); }
  std::string verifyRefusal(const fs::path& folder) {
    const auto verified = store_.verify(folder);
    if (verified.has_value()) return {};
    EXPECT_EQ(verified.error().remedy(), Remedy::fixInput);
    return verified.error().text();
  }

  test::TempFolder folder_;
  fs::path root_ = folder_.path() / "snapshots";
  Store store_ = Store::open(root_).value();
};

TEST_F(StoreTest, WhatIsPublishedIsListedAndVerified) {
  const fs::path folder = published();

  EXPECT_THAT(store_.list().value(), ElementsAre(folder));
  const Manifest manifest = store_.verify(folder).value();
  EXPECT_EQ(manifest.provenance, kProvenance);
  EXPECT_EQ(manifest.state.bytes, 5U);
  EXPECT_EQ(manifest.memory.bytes, kMemory.size());
  EXPECT_THAT(manifest.created, EndsWith("Z"));
}

// The digest of "abc" is FIPS 180-4's own example.
TEST(Sha256, IsWhatTheStandardSays) {
  EXPECT_EQ(sha256(std::as_bytes(std::span("abc", 3))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_F(StoreTest, OneThatIsNotPublishedIsNotListedAndIsGoneAfterAnOpen) {
  stageFiles();
  EXPECT_THAT(store_.list().value(), IsEmpty());

  store_ = Store::open(folder_.path() / "other").value();  // closes the first, as a crash would
  store_ = Store::open(root_).value();

  EXPECT_TRUE(fs::is_empty(root_));
}

TEST_F(StoreTest, PublishingWithoutTheFilesIsRefusedAndPublishesNothing) {
  const fs::path staging = store_.stage().value();
  writeFile(staging / kStateName, "state");

  const auto refused = store_.publish(staging, kProvenance);

  EXPECT_THAT(refused.error().text(), HasSubstr((staging / kMemoryName).string()));
  EXPECT_THAT(store_.list().value(), IsEmpty());
}

TEST_F(StoreTest, WhatIsPublishedIsNotPublishedAgain) {
  const fs::path folder = published();
  EXPECT_THAT(store_.publish(folder, {}).error().text(), HasSubstr("is published already"));
  EXPECT_EQ(verifyRefusal(folder), "");
}

TEST_F(StoreTest, AnyFlippedByteOfTheManifestIsRefused) {
  const fs::path folder = published();
  const std::size_t bytes = fs::file_size(folder / kManifestName);
  for (std::size_t at = 0; at < bytes; ++at) {
    flip(folder / kManifestName, at);
    ASSERT_FALSE(readManifest(folder).has_value()) << "at " << at << ": " << readFile(folder / kManifestName);
    flip(folder / kManifestName, at);
  }
  EXPECT_TRUE(readManifest(folder).has_value());
}

TEST_F(StoreTest, AManifestCutAnywhereIsRefused) {
  const fs::path folder = published();
  const std::string whole = readFile(folder / kManifestName);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(checkManifest(std::string_view(whole).substr(0, length)).has_value()) << length;
  }
}

TEST_F(StoreTest, AFlippedByteOfAFileIsRefusedWithWhatToDo) {
  const fs::path folder = published();
  for (const auto& [name, at] : {std::pair{kStateName, std::size_t{0}}, {kMemoryName, kMemory.size() - 1}}) {
    flip(folder / name, at);
    EXPECT_THAT(verifyRefusal(folder),
                AllOf(HasSubstr((folder / name).string()), EndsWith("remove the snapshot and build it again")));
    flip(folder / name, at);
  }
  EXPECT_EQ(verifyRefusal(folder), "");
}

TEST_F(StoreTest, ACutFileIsRefusedWithBothSizes) {
  const fs::path folder = published();
  fs::resize_file(folder / kStateName, 4);
  EXPECT_THAT(verifyRefusal(folder), HasSubstr("has 4 bytes where its manifest says 5"));
}

TEST_F(StoreTest, AFolderWithTheManifestOfAnotherIsRefused) {
  const fs::path folder = published();
  const fs::path renamed = root_ / "mine";
  fs::rename(folder, renamed);
  EXPECT_THAT(verifyRefusal(renamed), HasSubstr("has the manifest of another snapshot"));
}

TEST_F(StoreTest, WhatIsRemovedIsGone) {
  const fs::path folder = published();
  ASSERT_TRUE(store_.remove(folder).has_value());
  EXPECT_TRUE(fs::is_empty(root_));
  EXPECT_EQ(store_.remove(folder).error().remedy(), Remedy::fixInput);
}

TEST_F(StoreTest, NothingOutsideTheRootIsRemoved) {
  const fs::path outside = folder_.path() / "mine";
  fs::create_directory(outside);
  for (const fs::path& folder : {outside, root_, root_ / ".." / "mine", root_ / ".", root_ / "..", fs::path()}) {
    EXPECT_FALSE(store_.remove(folder).has_value()) << folder;
  }
  EXPECT_TRUE(fs::exists(outside));
}

TEST_F(StoreTest, OneProcessAtATimeUsesARoot) {
  const auto second = Store::open(root_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().remedy(), Remedy::retry);
}

TEST_F(StoreTest, AManifestOfALaterFormatIsRefused) {
  std::string text = sealManifest({}).text;
  text.replace(text.find("\"format\":1"), 10, "\"format\":2");
  EXPECT_THAT(checkManifest(text).error().text(), HasSubstr("has format 2, and this program reads 1"));
}

}  // namespace
}  // namespace qm::snapshot
