#include "bench/soft/summary.h"

#include <gtest/gtest.h>

namespace qm::bench {
namespace {

using std::chrono::milliseconds;

void add(Figures& figures, const std::string& name, milliseconds sample) {
  figures.declare(name, Unit::milliseconds, "");
  figures.add(name, sample);
}

TEST(Summary, RatiosAreOursToQemusAndTheirMeanIsGeometric) {
  Figures figures;
  for (const std::string name : {"crc32", "qsort", "dgemm", "sha256", "python", "getppid"}) {
    const bool isFast = name == "crc32" || name == "dgemm" || name == "python";
    add(figures, name, milliseconds(isFast ? 50 : 800));
    add(figures, "qemu_" + name, milliseconds(100));
  }
  const boost::json::object flat = summarise(figures, std::chrono::seconds(20), {}).flat;
  EXPECT_EQ(flat.at("crc32_ratio_to_qemu").as_double(), 0.5);
  EXPECT_EQ(flat.at("qsort_ratio_to_qemu").as_double(), 8);
  EXPECT_EQ(flat.at("compute_geomean_ratio_to_qemu").as_double(), 2);  // (1/2 · 8)^(3/6)
}

TEST(Summary, AMeanOfSomeComputationsIsNone) {
  Figures figures;
  add(figures, "crc32", milliseconds(50));
  add(figures, "qemu_crc32", milliseconds(100));
  EXPECT_FALSE(summarise(figures, std::chrono::seconds(20), {}).flat.contains("compute_geomean_ratio_to_qemu"));
}

TEST(Summary, IdleTimeIsAPercentageOfTheTimeItWasWatched) {
  Figures figures;
  add(figures, "idle_cpu", milliseconds(6));
  EXPECT_EQ(summarise(figures, std::chrono::seconds(20), {}).flat.at("idle_cpu_percent").as_double(), 0.03);
}

TEST(Summary, WhatWasNotMeasuredIsLeftOut) {
  const Summary summary = summarise(Figures(), std::chrono::seconds(20), {});
  EXPECT_TRUE(summary.flat.empty());
  EXPECT_EQ(summary.text, "");
}

}  // namespace
}  // namespace qm::bench
