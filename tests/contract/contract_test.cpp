#include "tests/contract/contract_test.h"

#include <cstdlib>

#include "vmm/hypervisor/kvm/kvm_hypervisor.h"
#include "vmm/hypervisor/kvm/probe.h"
#include "vmm/hypervisor/soft/soft_hypervisor.h"

namespace qm::contract {

namespace {

bool kvmEmulatesKernelMode() {
  static const bool kAnswer = require(probeKvm()).state == KvmState::emulated;  // the probe takes long where it does
  return kAnswer;
}

}  // namespace

std::vector<Backend> backends() {
  return {{.name = "kvm",
           .open = [] { return openKvm(); },
           .everywhere = false,
           .emulatesKernelMode = kvmEmulatesKernelMode},
          {.name = "soft",
           .open = [] { return openSoft(); },
           .everywhere = true,
           .emulatesKernelMode = [] { return false; }}};
}

void PrintTo(const Backend& backend, std::ostream* to) {
  *to << backend.name;
}

bool ContractTest::isLab() {
  return std::getenv("LAB") != nullptr;
}

bool ContractTest::isLabsKvm() {
  return isLab() && GetParam().name == "kvm";
}

void ContractTest::SetUp() {
  Result<std::unique_ptr<Hypervisor>> opened = GetParam().open();
  if (opened.has_value()) {
    hypervisor_ = *std::move(opened);
    return;
  }
  // In the lab it must open: a skip there would hide that nothing was tested.
  const bool mayLack = !GetParam().everywhere && !isLab();
  if (mayLack) GTEST_SKIP() << opened.error().text();
  FAIL() << opened.error().text();
}

}  // namespace qm::contract
