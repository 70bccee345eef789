// Runs commands on one of the machines that are compared, and gives back what they wrote.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/contender/contender.h"
#include "bench/soft/computation.h"
#include "vmm/result/result.h"

namespace qm::bench {

class MachineRunner {
 public:
  MachineRunner() = default;
  MachineRunner(const MachineRunner&) = delete;
  MachineRunner& operator=(const MachineRunner&) = delete;
  virtual ~MachineRunner() = default;

  virtual std::string prefix() const = 0;
  // Standard output of a computation that ended well.
  virtual Result<std::string> run(const Computation& computation) = 0;
};

class HostRunner final : public MachineRunner {
 public:
  std::string prefix() const override { return "native_"; }
  Result<std::string> run(const Computation& computation) override;
};

class GuestRunner final : public MachineRunner {
 public:
  // Of a guest that has replied.
  GuestRunner(std::string prefix, std::unique_ptr<Guest> guest)
      : prefix_(std::move(prefix)), guest_(std::move(guest)) {}

  std::string prefix() const override { return prefix_; }
  Result<std::string> run(const Computation& computation) override;

 private:
  std::string prefix_;
  std::unique_ptr<Guest> guest_;
};

}  // namespace qm::bench
