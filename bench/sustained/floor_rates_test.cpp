#include "bench/sustained/floor_rates.h"

#include <gtest/gtest.h>

namespace qm::bench {
namespace {

TEST(FloorRates, TheHigherOfTwoMeasurementsCounts) {
  EXPECT_EQ(higherOf({{1, 14}, {2, 42}}, {{1, 15}, {2, 40}, {4, 69}}), (FloorRates{{1, 15}, {2, 42}, {4, 69}}));
}

TEST(FloorRates, TheFloorIsThatOfTheBestNumberOfWorkers) {
  boost::json::object flat;
  addFlat(FloorRates{{1, 14}, {2, 69}, {4, 42}}, flat);
  EXPECT_EQ(flat.at("floor_per_s").as_double(), 69);
  EXPECT_EQ(flat.at("floor_per_s_4_workers").as_double(), 42);
}

TEST(FloorRates, WhatWasNotMeasuredIsLeftOut) {
  boost::json::object flat;
  addFlat(FloorRates{}, flat);
  EXPECT_TRUE(flat.empty());
  EXPECT_EQ(best({}), 0);
}

}  // namespace
}  // namespace qm::bench
