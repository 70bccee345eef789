// quickmatch-vmm on its CPU in software. The reply is the agent's over vsock.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bench/soft/contender.h"
#include "bench/start/our_vm.h"

namespace qm::bench {

class OurContender final : public Contender {
 public:
  // `options` choose the hypervisor.
  OurContender(std::filesystem::path vmm, std::filesystem::path folder, std::vector<std::string> options)
      : vmm_(std::move(vmm)), folder_(std::move(folder)), options_(std::move(options)) {}

  std::string prefix() const override { return ""; }
  std::string title() const override { return "ours"; }
  Result<std::unique_ptr<Guest>> boot(const Recipe& recipe) override;
  Status prepare(const Recipe& recipe) override;
  Result<std::unique_ptr<Guest>> restore() override;

 private:
  Result<OurVm> spawn();
  Result<OurVm> bootVm(const Recipe& recipe);

  std::filesystem::path vmm_, folder_;
  std::vector<std::string> options_;
  SavedVm saved_{.state = folder_ / "state", .memory = folder_ / "memory"};
  std::uint32_t next_ = 0;  // numbers VMs
};

}  // namespace qm::bench
