#include "bench/contender/our_contender.h"

#include <fmt/format.h>

#include "bench/contender/instruction_count.h"

namespace qm::bench {

namespace {

class OurGuest final : public Guest {
 public:
  explicit OurGuest(OurVm vm) : vm_(std::move(vm)) {}

  Result<pid_t> pid() override { return vm_.pid(); }
  Result<Clock::time_point> waitForReply(std::chrono::milliseconds pause) override {
    FirstReply reply = TRY(vm_.waitForFirstReply(pause));
    agent_ = std::move(reply.agent);
    return reply.time;
  }
  Result<agent::Ran> run(const agent::Run& command, Clock::time_point deadline) override {
    return agent_.value().run(command, deadline);
  }
  Result<std::optional<std::uint64_t>> end() override { return instructionsIn(TRY(vm_.end())); }

 private:
  OurVm vm_;
  std::optional<agent::AgentClient> agent_;
};

}  // namespace

Result<OurVm> OurContender::spawn() {
  return OurVm::spawn(vmm_, folder_, fmt::format("ours-{}", ++next_), options_);
}

Result<OurVm> OurContender::bootVm(const Recipe& recipe) {
  OurVm vm = TRY(spawn());
  TRY(vm.configure(recipe));
  TRY(vm.start());
  return vm;
}

Result<std::unique_ptr<Guest>> OurContender::boot(const Recipe& recipe) {
  return std::make_unique<OurGuest>(TRY(bootVm(recipe)));
}

Status OurContender::prepare(const Recipe& recipe) {
  OurVm vm = TRY(bootVm(recipe));
  TRY(vm.waitForFirstReply(kBootPause));
  return vm.save(saved_);
}

Result<std::unique_ptr<Guest>> OurContender::restore() {
  OurVm vm = TRY(spawn());
  TRY(vm.restore(saved_));
  return std::make_unique<OurGuest>(std::move(vm));
}

}  // namespace qm::bench
