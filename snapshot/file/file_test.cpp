#include <sys/stat.h>

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "snapshot/file/load.h"
#include "snapshot/file/save.h"
#include "snapshot/state/distinct_state.h"
#include "vmm/os/testing/temp_folder.h"

namespace qm::snapshot {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr std::uint64_t kMiB = 1024 * 1024;

struct Saved {
  test::TempFolder folder;
  fs::path state = folder.path() / "state";
  fs::path memory = folder.path() / "memory";
};

MachineState stateOf(const GuestMemory& memory) {
  MachineState state = distinctState(7);
  state.memoryBytes = memory.bytes();
  return state;
}

Status save(const GuestMemory& memory, const Saved& saved) {
  return saveFiles(stateOf(memory), memory, saved.state, saved.memory);
}

std::string contents(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::uint64_t allocatedBytes(const fs::path& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

TEST(Files, WhatWasSavedIsLoaded) {
  const Saved saved;
  GuestMemory memory = GuestMemory::anonymous(kMiB).value();
  ASSERT_TRUE(memory.writeObject(GuestAddress{0x1234}, std::uint64_t{0x1122334455667788}).has_value());
  ASSERT_TRUE(save(memory, saved).has_value());

  const Loaded loaded = loadFiles(saved.state, saved.memory).value();

  EXPECT_EQ(loaded.state, stateOf(memory));
  EXPECT_EQ(loaded.memory.readObject<std::uint64_t>(GuestAddress{0x1234}).value(), 0x1122334455667788U);
}

TEST(Files, SavingWhatWasLoadedGivesTheSameFiles) {
  const Saved first;
  const Saved second;
  GuestMemory memory = GuestMemory::anonymous(kMiB).value();
  ASSERT_TRUE(memory.writeObject(GuestAddress{kMiB - 8}, std::uint64_t{1}).has_value());
  ASSERT_TRUE(save(memory, first).has_value());

  const Loaded loaded = loadFiles(first.state, first.memory).value();
  ASSERT_TRUE(saveFiles(loaded.state, loaded.memory, second.state, second.memory).has_value());

  EXPECT_EQ(contents(second.state), contents(first.state));
  EXPECT_EQ(contents(second.memory), contents(first.memory));
}

TEST(Files, ACloneWritesToItsOwnCopy) {
  const Saved saved;
  ASSERT_TRUE(save(GuestMemory::anonymous(kMiB).value(), saved).has_value());
  Loaded one = loadFiles(saved.state, saved.memory).value();
  const Loaded other = loadFiles(saved.state, saved.memory).value();

  ASSERT_TRUE(one.memory.writeObject(GuestAddress{0}, std::uint32_t{1}).has_value());

  EXPECT_EQ(other.memory.readObject<std::uint32_t>(GuestAddress{0}).value(), 0U);
  EXPECT_EQ(contents(saved.memory), std::string(kMiB, '\0'));
}

TEST(Files, PagesOfZerosTakeNoSpace) {
  const Saved saved;
  GuestMemory memory = GuestMemory::anonymous(64 * kMiB).value();
  for (const std::uint64_t page : {0U, 1U, 700U, 16383U}) {
    ASSERT_TRUE(memory.writeObject(GuestAddress{page * kGuestPageBytes}, std::uint8_t{1}).has_value());
  }
  ASSERT_TRUE(save(memory, saved).has_value());

  EXPECT_EQ(fs::file_size(saved.memory), 64 * kMiB);
  EXPECT_LT(allocatedBytes(saved.memory), kMiB);
}

TEST(Files, MemoryAboveTheHoleFollowsMemoryBelowIt) {
  const Saved saved;
  GuestMemory memory = GuestMemory::anonymous(kMmioHoleStart.value + kMiB).value();
  ASSERT_TRUE(memory.writeObject(kMmioHoleEnd, std::uint32_t{0xabcd}).has_value());
  ASSERT_TRUE(save(memory, saved).has_value());

  const Loaded loaded = loadFiles(saved.state, saved.memory).value();

  EXPECT_EQ(loaded.memory.readObject<std::uint32_t>(kMmioHoleEnd).value(), 0xabcdU);
}

TEST(Files, AMissingFolderOrAFileInTheWayIsRefusedAndNothingIsLeft) {
  const Saved saved;
  const GuestMemory memory = GuestMemory::anonymous(kMiB).value();
  const MachineState state = stateOf(memory);

  const Status noFolder = saveFiles(state, memory, saved.folder.path() / "no" / "state", saved.memory);
  EXPECT_THAT(noFolder.error().text(), HasSubstr("no/state has no folder to stand in: make it first"));
  std::ofstream(saved.state) << "mine";
  EXPECT_THAT(save(memory, saved).error().text(), HasSubstr("is there already"));
  EXPECT_EQ(contents(saved.state), "mine");
  EXPECT_FALSE(fs::exists(saved.memory));
}

TEST(Files, AStateThatNoReaderWouldTakeIsNotSaved) {
  const Saved saved;
  const GuestMemory memory = GuestMemory::anonymous(kMiB).value();
  MachineState state = stateOf(memory);
  state.cpus.clear();

  EXPECT_THAT(saveFiles(state, memory, saved.state, saved.memory).error().text(), HasSubstr("0 vCPUs"));
  EXPECT_FALSE(fs::exists(saved.memory));
}

TEST(Files, AMemoryFileOfAnotherSizeIsRefused) {
  const Saved saved;
  ASSERT_TRUE(save(GuestMemory::anonymous(kMiB).value(), saved).has_value());
  fs::resize_file(saved.memory, kMiB - 1);

  const auto loaded = loadFiles(saved.state, saved.memory);

  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().remedy(), Remedy::fixInput);
  EXPECT_THAT(loaded.error().text(), HasSubstr("has 1048575 bytes where the snapshot's state wants 1048576"));
}

TEST(Files, MissingFilesAreNamed) {
  const Saved saved;
  EXPECT_THAT(loadFiles(saved.state, saved.memory).error().text(), HasSubstr(saved.state.string()));
  ASSERT_TRUE(save(GuestMemory::anonymous(kMiB).value(), saved).has_value());
  fs::remove(saved.memory);
  EXPECT_THAT(loadFiles(saved.state, saved.memory).error().text(), HasSubstr(saved.memory.string()));
}

}  // namespace
}  // namespace qm::snapshot
