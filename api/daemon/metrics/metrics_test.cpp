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

TEST(Metrics, GaugesShowHowThePoolsStandAndForgetTemplatesThatWentAway) {
  Metrics metrics;
  const pool::PoolView hello{.templateName = "hello", .wanted = 4, .ready = 3, .making = 1, .leased = 2};
  EXPECT_THAT(metrics.text({hello}, 5, {}), HasSubstr("quickmatch_clones{state=\"ready\",template=\"hello\"} 3"));
  EXPECT_THAT(metrics.text({}, 5, {}), Not(HasSubstr("quickmatch_clones{")));
  EXPECT_THAT(metrics.text({}, 5, {}), HasSubstr("quickmatch_blanks 5"));
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
