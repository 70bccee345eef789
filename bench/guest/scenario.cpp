#include "bench/guest/scenario.h"

#include <charconv>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "bench/start/process_memory.h"

namespace qm::bench {

namespace {

constexpr std::chrono::milliseconds kPause(2);
constexpr std::uint64_t kPageKib = 4;

Result<std::uint64_t> numberAfter(std::string_view log, std::string_view name) {
  const std::size_t line = log.rfind(" cpu.ended ");
  if (line == std::string_view::npos) return Error(Remedy::giveUp, "the CPU does not say what it executed");
  const std::size_t at = log.find(name, line);
  if (at == std::string_view::npos) return Error(Remedy::giveUp, fmt::format("no {} in the line cpu.ended", name));
  const std::string_view number = log.substr(at + name.size());
  std::uint64_t count = 0;
  if (std::from_chars(number.data(), number.data() + number.size(), count).ec != std::errc()) {
    return Error(Remedy::giveUp, fmt::format("{} is followed by no number", name));
  }
  return count;
}

agent::Renew identity() {
  agent::Renew renew;
  renew.entropy.assign(64, std::byte{0x5a});
  renew.wallClockNs = std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
  renew.hostname = "clone";
  renew.machineId = std::string(32, 'a');
  renew.cloneId = "clone";
  renew.nonce = 7;
  return renew;
}

// One try may be too early for a guest that has only just gone on.
Result<agent::AgentClient> connectTo(const OurVm& vm) {
  for (const Clock::time_point last = deadline();;) {
    Result<agent::AgentClient> agent = vm.connect();
    if (agent.has_value() || Clock::now() >= last) return agent;
    std::this_thread::sleep_for(kPause);
  }
}

Status echo(agent::AgentClient& agent) {
  agent::Run run;
  run.argv = {"/bin/echo", "hello"};
  run.outputLimit = 4096;
  const agent::Ran ran = TRY(agent.run(run, deadline()));
  if (ran.exitCode == 0 && ran.out.size() == 6) return {};
  return Error(Remedy::giveUp, "/bin/echo did not echo");
}

}  // namespace

std::vector<Scenario> scenarios() {
  using enum Step;
  return {{.name = "resume", .steps = {}, .without = 0},
          {.name = "connect", .steps = {connect}, .without = 0},
          {.name = "ping", .steps = {connect, ping}, .without = 1},
          {.name = "renew", .steps = {connect, renew}, .without = 1},
          {.name = "ping after it", .steps = {connect, renew, ping}, .without = 3},
          {.name = "echo", .steps = {connect, renew, ping, echo}, .without = 4},
          {.name = "echo again", .steps = {connect, renew, ping, echo, echo}, .without = 5},
          {.name = "rest", .steps = {connect, renew, ping, rest}, .without = 4}};
}

Result<GuestWork> workIn(std::string_view log) {
  return GuestWork{.instructions = TRY(numberAfter(log, "instructions=")),
                   .decoded = TRY(numberAfter(log, "decoded=")),
                   .ownPages = 0};
}

Status ScenarioRunner::prepare(const Recipe& recipe) const {
  OurVm vm = TRY(OurVm::spawn(vmm, folder, "template", vmmOptions));
  TRY(vm.configure(recipe));
  TRY(vm.start());
  // The connection is kept in the snapshot, as a template's is.
  const FirstReply reply = TRY(vm.waitForFirstReply(kPause));
  return vm.save(saved);
}

Result<GuestWork> ScenarioRunner::run(const Scenario& scenario, const std::string& id) const {
  OurVm vm = TRY(OurVm::spawn(vmm, folder, id, vmmOptions));
  TRY(vm.restore(saved));
  std::optional<agent::AgentClient> agent;
  for (const Step step : scenario.steps) {
    switch (step) {
      case Step::connect:
        agent.emplace(TRY(connectTo(vm)));
        break;
      case Step::renew:
        TRY(agent->renew(identity(), deadline()));
        break;
      case Step::ping:
        TRY(agent->ping(1, deadline()));
        break;
      case Step::echo:
        TRY(echo(*agent));
        break;
      case Step::rest:
        std::this_thread::sleep_for(rest);
        break;
    }
  }
  // What the guest does after its answer, before it sleeps, is part of the step.
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const ProcessMemory memory = TRY(readProcessMemory(vm.pid(), saved.memory.native()));
  const std::string log = TRY(vm.end());
  GuestWork work = TRY(workIn(log));
  work.ownPages = memory.writtenRamKib / kPageKib;
  return work;
}

}  // namespace qm::bench
