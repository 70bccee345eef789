#include "vmm/hypervisor/choice/choice.h"

#include <gtest/gtest.h>

namespace qm {
namespace {

// A host as its probes tell of it; `asked` counts what KVM's costs.
struct Host {
  KvmState kvm = KvmState::absent;
  Status soft;
  int asked = 0;

  BackendProbes probes() {
    return {.kvm = [this]() -> Result<KvmKind> {
              ++asked;
              return KvmKind{.state = kvm, .reason = "as found"};
            },
            .soft = [this] { return soft; }};
  }
};

TEST(HypervisorChoice, AutomaticTakesKvmOnlyWhereItRunsOnHardware) {
  Host host{.kvm = KvmState::hardware};
  EXPECT_EQ(decide(HypervisorChoice::automatic, host.probes()).value().backend, Backend::kvm);
  host.kvm = KvmState::emulated;
  EXPECT_EQ(decide(HypervisorChoice::automatic, host.probes()).value(),
            (Decision{.backend = Backend::soft, .reason = "this host's KVM is emulated: as found"}));
  host.kvm = KvmState::absent;
  EXPECT_EQ(decide(HypervisorChoice::automatic, host.probes()).value(),
            (Decision{.backend = Backend::soft, .reason = "this host's KVM is absent: as found"}));
}

TEST(HypervisorChoice, WhatIsAskedForByNameIsNotProbed) {
  Host host{.kvm = KvmState::hardware};
  EXPECT_EQ(decide(HypervisorChoice::kvm, host.probes()).value().backend, Backend::kvm);
  EXPECT_EQ(decide(HypervisorChoice::soft, host.probes()).value().backend, Backend::soft);
  EXPECT_EQ(host.asked, 0);
}

TEST(HypervisorChoice, AHostForNeitherIsToldWhyForBoth) {
  Host host{.kvm = KvmState::emulated, .soft = Error(Remedy::giveUp, "the CPU lacks popcnt")};
  const auto decision = decide(HypervisorChoice::automatic, host.probes());
  ASSERT_FALSE(decision.has_value());
  EXPECT_NE(decision.error().text().find("emulated: as found"), std::string::npos);
  EXPECT_NE(decision.error().text().find("the CPU lacks popcnt"), std::string::npos);
}

TEST(HypervisorChoice, AProbeThatCouldNotRunDecidesNothing) {
  const BackendProbes probes{.kvm = [] { return Result<KvmKind>(Error(Remedy::retry, "no memory")); },
                             .soft = [] { return Status(); }};
  EXPECT_EQ(decide(HypervisorChoice::automatic, probes).error().remedy(), Remedy::retry);
}

TEST(HypervisorChoice, EachHasAName) {
  EXPECT_EQ(hypervisorNamed("auto").value(), HypervisorChoice::automatic);
  EXPECT_EQ(hypervisorNamed(name(Backend::kvm)).value(), HypervisorChoice::kvm);
  EXPECT_EQ(hypervisorNamed(name(Backend::soft)).value(), HypervisorChoice::soft);
  EXPECT_EQ(hypervisorNamed("tcg").error().text(), "there is no hypervisor \"tcg\"; there are auto, kvm and soft");
}

}  // namespace
}  // namespace qm
