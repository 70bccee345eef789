#include "api/daemon/vm/process_memory.h"

#include <unistd.h>

#include <gtest/gtest.h>

#include "vmm/os/mapping.h"

namespace qm {
namespace {

TEST(ProcessMemory, WhatIsNotSharedIsResidentMemoryWithoutThatOfFiles) {
  EXPECT_EQ(anonymousFromStatm("1000 70 20 5 0 60 0\n"), 50 * pageBytes());
}

TEST(ProcessMemory, OfAProcessThatHasEndedAndOfNonsenseNothingIsKnown) {
  EXPECT_EQ(anonymousFromStatm("0 0 0 0 0 0 0\n"), std::nullopt);
  EXPECT_EQ(anonymousFromStatm("10 5 7"), std::nullopt);
  EXPECT_EQ(anonymousFromStatm("10 5"), std::nullopt);
  EXPECT_EQ(anonymousFromStatm(""), std::nullopt);
}

TEST(ProcessMemory, OursIsKnown) {
  EXPECT_GT(anonymousMemory(::getpid()), 0U);
}

}  // namespace
}  // namespace qm
