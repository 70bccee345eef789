#include "bench/load/vm_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qm::bench {
namespace {

constexpr std::string_view kMetrics = R"(# TYPE quickmatch_vm_cpu_seconds_total counter
quickmatch_vm_cpu_seconds_total{stretch="load"} 0.5
quickmatch_vm_instructions_total{stretch="renew"} 1000
quickmatch_vm_private_bytes_total 4096
quickmatch_vms_gone_total{slot_page="read"} 10
quickmatch_cloned_total 7
quickmatch_vm_broken 3)";

TEST(VmMetrics, FamiliesOfVmsAreReadByTheirLabelAndNoOthers) {
  const VmTotals expected{
      {"cpu_seconds.load", 0.5}, {"instructions.renew", 1000}, {"private_bytes", 4096}, {"gone.read", 10}};
  EXPECT_EQ(readVmTotals(kMetrics), expected);
  EXPECT_TRUE(readVmTotals("").empty());
}

TEST(VmMetrics, WhatCameBetweenIsTheDifference) {
  const VmTotals earlier{{"gone.read", 10}}, later{{"gone.read", 15}, {"private_bytes", 8}};
  EXPECT_EQ(between(earlier, later), (VmTotals{{"gone.read", 5}, {"private_bytes", 8}}));
}

TEST(VmMetrics, EachVmsShareIsTold) {
  boost::json::object flat;
  addVmFlat(readVmTotals(kMetrics), "reply_", flat);
  EXPECT_EQ(flat.at("reply_vm_load_cpu_ms").to_number<double>(), 50);
  EXPECT_EQ(flat.at("reply_vm_renew_instructions").to_number<double>(), 100);
  EXPECT_EQ(flat.at("reply_vms_gone").to_number<double>(), 10);
  EXPECT_FALSE(flat.contains("reply_vm_load_instructions"));
  EXPECT_THAT(vmTable(readVmTotals(kMetrics)), testing::HasSubstr("map, populate, load          50.00"));
  EXPECT_EQ(vmTable({}), "");
}

}  // namespace
}  // namespace qm::bench
