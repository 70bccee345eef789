#include "vmm/hypervisor/kvm/probe.h"

#include <cstdlib>

#include <gtest/gtest.h>

namespace qm {
namespace {

TEST(KvmProbe, AMissingDeviceIsAbsentAndSaysSo) {
  const KvmKind kind = probeKvm("/nonexistent/kvm").value();
  EXPECT_EQ(kind.state, KvmState::absent);
  EXPECT_NE(kind.reason.find("No such file"), std::string::npos);
}

TEST(KvmProbe, ADeviceThatIsNotKvmIsAbsent) {
  EXPECT_EQ(probeKvm("/dev/null").value().state, KvmState::absent);
}

TEST(KvmProbe, AnswersWithinASecond) {
  const auto start = std::chrono::steady_clock::now();
  const KvmKind kind = probeKvm().value();
  RecordProperty("kind", kind.reason);
  EXPECT_FALSE(kind.reason.empty());
  // Twice the promise: the machine may be busy with other tests.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

}  // namespace
}  // namespace qm
