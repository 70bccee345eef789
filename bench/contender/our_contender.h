// quickmatch-vmm alone: no daemon, no jail, nothing prepared, as somebody has it who drives it by its API. The reply is
// the agent's over vsock, by a connection of its own.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bench/contender/contender.h"
#include "bench/start/our_vm.h"

namespace qm::bench {

class OurContender final : public Contender {
 public:
  // `options` choose the hypervisor.
  OurContender(std::string prefix, std::filesystem::path vmm, std::filesystem::path folder,
               std::vector<std::string> options)
      : prefix_(std::move(prefix)), vmm_(std::move(vmm)), folder_(std::move(folder)), options_(std::move(options)) {}

  std::string prefix() const override { return prefix_; }
  std::string title() const override { return "our VMM alone"; }
  Result<std::unique_ptr<Guest>> boot(const Recipe& recipe) override;
  Status prepare(const Recipe& recipe) override;
  Result<std::unique_ptr<Guest>> restore() override;

 private:
  Result<OurVm> spawn();
  Result<OurVm> bootVm(const Recipe& recipe);

  std::string prefix_;
  std::filesystem::path vmm_, folder_;
  std::vector<std::string> options_;
  SavedVm saved_{.state = folder_ / "state", .memory = folder_ / "memory"};
  std::uint32_t next_ = 0;  // numbers VMs
};

}  // namespace qm::bench
