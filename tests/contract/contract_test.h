// What every contract test is built on: one body, run against each backend.
#pragma once

#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "vmm/hypervisor/hypervisor.h"
#include "vmm/result/result.h"

namespace qm::contract {

struct Backend {
  std::string name;
  Result<std::unique_ptr<Hypervisor>> (*open)();
  bool everywhere;  // false: a host may lack it, and its tests are skipped there
  bool (*emulatesKernelMode)();
};
std::vector<Backend> backends();
void PrintTo(const Backend& backend, std::ostream* to);

// The value, or the test fails with the error's sentence.
template <class T>
T require(Result<T> result) {
  if (!result.has_value()) throw std::runtime_error(result.error().text());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

class ContractTest : public testing::TestWithParam<Backend> {
 protected:
  void SetUp() override;
  Hypervisor& hypervisor() { return *hypervisor_; }
  // Whether what stands behind this backend is a host that emulates the guest's kernel mode, and not all of it. A test
  // that fails there for that reason names what is missing and skips.
  bool isEmulated() const { return GetParam().emulatesKernelMode(); }
  // The lab's, over a CPU emulated by QEMU with defects of its own.
  static bool isLabsKvm();

 private:
  static bool isLab();

  std::unique_ptr<Hypervisor> hypervisor_;
};

inline std::string backendName(const testing::TestParamInfo<Backend>& info) {
  return info.param.name;
}

}  // namespace qm::contract
