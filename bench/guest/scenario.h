// A clone's life up to some step, and what its guest did for it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/start/our_vm.h"

namespace qm::bench {

enum class Step : std::uint8_t { connect, renew, ping, echo, rest };

// Each is one of the others with one step more.
struct Scenario {
  std::string_view name;
  std::vector<Step> steps;
  // The scenario with one step less, by its place among scenarios().
  std::size_t without = 0;
};

std::vector<Scenario> scenarios();

struct GuestWork {
  std::uint64_t instructions = 0;
  std::uint64_t decoded = 0;
  std::uint64_t ownPages = 0;  // of its RAM, which it wrote to
};

// Nothing where the log has no line of a CPU in software.
Result<GuestWork> workIn(std::string_view log);

// Restores, does the steps, ends the VM. `rest` is how long Step::rest lasts.
struct ScenarioRunner {
  std::filesystem::path vmm, folder;
  std::vector<std::string> vmmOptions;
  SavedVm saved;
  std::chrono::milliseconds rest;

  Status prepare(const Recipe& recipe) const;
  Result<GuestWork> run(const Scenario& scenario, const std::string& id) const;
};

}  // namespace qm::bench
