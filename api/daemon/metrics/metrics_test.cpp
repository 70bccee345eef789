#include "api/daemon/metrics/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qm {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

TEST(Metrics, EveryRoadHasAHistogramOfEachPhaseAndOfTheWhole) {
  Metrics metrics;
  pool::Phases phases;
  phases.add(pool::Phase::restore, 4'000us);
  phases.add(pool::Phase::ping, 500us);
  metrics.acquired("hello", pool::Road::blank, phases);
  const std::string text = metrics.text({}, 0, {});
  EXPECT_THAT(text, HasSubstr("# TYPE quickmatch_phase_seconds histogram"));
  EXPECT_THAT(text, HasSubstr("quickmatch_phase_seconds_sum{phase=\"restore\",road=\"blank\"} 0.004"));
  EXPECT_THAT(text, HasSubstr("quickmatch_phase_seconds_count{phase=\"total\",road=\"blank\"} 1"));
  EXPECT_THAT(text, HasSubstr("quickmatch_acquired_total{road=\"blank\",template=\"hello\"} 1"));
}

TEST(Metrics, AFailedCloneIsCountedByItsPhase) {
  Metrics metrics;
  metrics.cloneFailed("hello", pool::Phase::renew, Error(Remedy::giveUp, "a hook failed"));
  EXPECT_THAT(metrics.text({}, 0, {}),
              HasSubstr("quickmatch_clone_failed_total{phase=\"renew\",template=\"hello\"} 1"));
}

TEST(Metrics, AFailedResetIsCountedByItsPhase) {
  Metrics metrics;
  metrics.resetFailed("hello", pool::Phase::reset, Error(Remedy::giveUp, "its process had ended"));
  EXPECT_THAT(metrics.text({}, 0, {}),
              HasSubstr("quickmatch_reset_failed_total{phase=\"reset\",template=\"hello\"} 1"));
}

TEST(Metrics, WhatVmsTookIsSummedByStretch) {
  Metrics metrics;
  VmUse use;
  use.cpuOf(VmStretch::load) = std::chrono::milliseconds(2);
  use.faultsOf(VmStretch::load) = 300;
  use.renew = {.instructions = 100'000, .decoded = 40};
  use.use = {.instructions = 400'000, .decoded = 2};
  use.privateBytes = 1U << 20U;
  use.populatedPages = 90;
  use.exits = {0, 7, 0, 0, 0, 0};
  metrics.vmGone(use);
  metrics.vmGone(use);
  const std::string text = metrics.text({}, 0, {});
  EXPECT_THAT(text, HasSubstr("quickmatch_vms_gone_total{slot_page=\"read\"} 2"));
  EXPECT_THAT(text, HasSubstr("quickmatch_vm_cpu_seconds_total{stretch=\"load\"} 0.004"));
  EXPECT_THAT(text, Not(HasSubstr("quickmatch_vm_cpu_seconds_total{stretch=\"jail\"}")));
  EXPECT_THAT(text, HasSubstr("quickmatch_vm_faults_total{stretch=\"load\"} 600"));
  EXPECT_THAT(text, HasSubstr("quickmatch_vm_instructions_total{stretch=\"use\"} 800000"));
  EXPECT_THAT(text, HasSubstr("quickmatch_vm_decoded_total{stretch=\"renew\"} 80"));
  EXPECT_THAT(text, HasSubstr("quickmatch_vm_private_bytes_total 2097152"));
  EXPECT_THAT(text, HasSubstr("quickmatch_vm_populated_bytes_total 737280"));
  EXPECT_THAT(text, HasSubstr("quickmatch_vm_exits_total{kind=\"mmio_write\"} 14"));
}

TEST(Metrics, EndsForWantOfMemoryAreCountedApart) {
  Metrics metrics;
  metrics.vmEnded(VmEnd::killed);
  metrics.vmEnded(VmEnd::outOfMemory);
  metrics.vmEnded(VmEnd::killed);
  const std::string text = metrics.text({}, 0, {});
  EXPECT_THAT(text, HasSubstr("quickmatch_vm_ended_total{how=\"killed\"} 2"));
  EXPECT_THAT(text, HasSubstr("quickmatch_vm_ended_total{how=\"out_of_memory\"} 1"));
}

TEST(Metrics, OfARefusedSlotPageOnlyWhatTheKernelSaysIsCounted) {
  Metrics metrics;
  VmUse use;
  use.isRefused = true;
  use.cpuOf(VmStretch::end) = std::chrono::milliseconds(1);
  use.use.instructions = 5;
  metrics.vmGone(use);
  const std::string text = metrics.text({}, 0, {});
  EXPECT_THAT(text, HasSubstr("quickmatch_vms_gone_total{slot_page=\"refused\"} 1"));
  EXPECT_THAT(text, HasSubstr("quickmatch_vm_cpu_seconds_total{stretch=\"end\"} 0.001"));
  EXPECT_THAT(text, Not(HasSubstr("quickmatch_vm_instructions_total{")));
}

TEST(Metrics, GaugesShowHowThePoolsStandAndForgetTemplatesThatWentAway) {
  Metrics metrics;
  const pool::PoolView hello{.templateName = "hello", .wanted = 4, .ready = 3, .making = 1, .leased = 2};
  EXPECT_THAT(metrics.text({hello}, 5, {}), HasSubstr("quickmatch_clones{state=\"ready\",template=\"hello\"} 3"));
  EXPECT_THAT(metrics.text({}, 5, {}), Not(HasSubstr("quickmatch_clones{")));
  EXPECT_THAT(metrics.text({}, 5, {}), HasSubstr("quickmatch_blanks 5"));
}

TEST(MetricsTest, WhatGoesOnInGuestsNetworksIsTold) {
  Metrics metrics;
  const std::string text = metrics.text({}, 0, {}, {.readySlots = 3, .egress = {.connected = 5, .refused = 2}});
  EXPECT_THAT(text, HasSubstr("# TYPE quickmatch_network_slots_ready gauge\nquickmatch_network_slots_ready 3\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE quickmatch_egress_total counter\n"));
  EXPECT_THAT(text, HasSubstr("quickmatch_egress_total{outcome=\"connected\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("quickmatch_egress_total{outcome=\"refused\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("quickmatch_egress_total{outcome=\"failed\"} 0\n"));
}

TEST(Metrics, MissesAreCountedByCauseAndTeardownsTimed) {
  Metrics metrics;
  metrics.missed("hello", pool::Miss::drained);
  metrics.tornDown(4'000us);
  const std::string text = metrics.text({}, 0, {.inLine = 3, .making = 2, .ending = 1});
  EXPECT_THAT(text, HasSubstr("quickmatch_missed_total{cause=\"drained\",template=\"hello\"} 1"));
  EXPECT_THAT(text, HasSubstr("quickmatch_teardown_seconds_sum 0.004"));
  EXPECT_THAT(text, HasSubstr("quickmatch_load{of=\"in_line\"} 3"));
  EXPECT_THAT(text, HasSubstr("quickmatch_load{of=\"making\"} 2"));
  EXPECT_THAT(text, HasSubstr("quickmatch_load{of=\"ending\"} 1"));
}

}  // namespace
}  // namespace qm
