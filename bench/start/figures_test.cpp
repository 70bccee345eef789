#include "bench/start/figures.h"

#include <gtest/gtest.h>

#include "bench/start/process_memory.h"

namespace qm::bench {
namespace {

TEST(Figure, PercentilesAreSamplesByNearestRank) {
  Figure figure(Unit::milliseconds, "");
  for (int i = 100; i >= 1; --i) figure.add(i);
  EXPECT_EQ(figure.percentile(50), 50);
  EXPECT_EQ(figure.percentile(99), 99);
  EXPECT_EQ(figure.percentile(100), 100);
}

TEST(Figure, OfOneSampleEveryPercentileIsIt) {
  Figure figure(Unit::milliseconds, "");
  figure.add(7);
  EXPECT_EQ(figure.percentile(1), 7);
  EXPECT_EQ(figure.percentile(99), 7);
}

TEST(Figures, TheFlatObjectHasUnitsInItsNamesAndNoEmptyFigures) {
  Figures figures;
  figures.declare("floor", Unit::milliseconds, "");
  figures.declare("clone_private", Unit::kibibytes, "");
  figures.declare("never", Unit::milliseconds, "");
  figures.add("floor", std::chrono::microseconds(1500));
  figures.add("clone_private", 4096);
  const boost::json::object flat = figures.flat();
  EXPECT_EQ(flat.at("floor_ms_p50").as_double(), 1.5);
  EXPECT_EQ(flat.at("clone_private_kib_p50").as_double(), 4096);
  EXPECT_EQ(flat.at("floor_n").as_uint64(), 1U);
  EXPECT_FALSE(flat.contains("never_ms_p50"));
}

// Two mappings as proc(5) shows them: the guest's RAM, and a heap.
constexpr const char* kSmaps =
    "7f0000000000-7f0008000000 rw-p 00000000 00:1f 9    /tmp/snapshot/memory\n"
    "Size:             131072 kB\n"
    "Shared_Clean:       2000 kB\n"
    "Shared_Dirty:        100 kB\n"
    "Private_Clean:         4 kB\n"
    "Private_Dirty:       300 kB\n"
    "Anonymous:           280 kB\n"
    "VmFlags: rd wr mr mw me ac\n"
    "55aa00000000-55aa00100000 rw-p 00000000 00:00 0    [heap]\n"
    "Shared_Clean:          0 kB\n"
    "Shared_Dirty:          0 kB\n"
    "Private_Clean:         8 kB\n"
    "Private_Dirty:        60 kB\n"
    "Anonymous:            60 kB\n";

TEST(ProcessMemory, PrivateMemoryOutsideTheGuestsRamIsTheVmmsOwn) {
  const ProcessMemory memory = memoryFromSmaps(kSmaps, "/tmp/snapshot/memory");
  EXPECT_EQ(memory.privateKib, 372U);
  EXPECT_EQ(memory.sharedKib, 2100U);
  EXPECT_EQ(memory.privateOutsideRamKib, 68U);
}

TEST(ProcessMemory, WrittenRamIsWhatTheGuestHasItsOwnCopyOf) {
  EXPECT_EQ(memoryFromSmaps(kSmaps, "/tmp/snapshot/memory").writtenRamKib, 280U);
}

}  // namespace
}  // namespace qm::bench
