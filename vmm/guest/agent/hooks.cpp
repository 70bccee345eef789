#include "vmm/guest/agent/hooks.h"

#include <algorithm>
#include <utility>

namespace qm::agent {

namespace {

constexpr std::uint64_t kHookOutputBytes = 4096;
constexpr std::size_t kSaidBytes = 512;

// The end of what it said, where a program usually says what went wrong; without a byte that a text cannot have.
std::string lastWords(const std::vector<std::byte>& said) {
  std::string text;
  for (const std::byte letter : std::span(said).last(std::min(said.size(), kSaidBytes))) {
    text.push_back(letter == std::byte{0} ? '?' : static_cast<char>(letter));
  }
  return text;
}

std::string howItEnded(const Ran& ran) {
  if (ran.timedOut) return "took longer than " + std::to_string(kHookTimeoutMs) + " ms";
  if (ran.signal != 0) return "was ended by signal " + std::to_string(ran.signal);
  return "exited " + std::to_string(ran.exitCode);
}

}  // namespace

Hooks::Hooks(EventLoop& loop, std::vector<std::vector<std::string>> commands, const std::string& cloneId, Done done)
    : loop_(loop), commands_(std::move(commands)), env_{"QUICKMATCH_CLONE_ID=" + cloneId}, done_(std::move(done)) {}

void Hooks::start() {
  startNext();
}

bool Hooks::collect(pid_t pid) {
  if (program_ == nullptr || program_->pid() != pid) return false;
  program_->collect();
  return true;
}

void Hooks::startNext() {
  if (results_.size() == commands_.size()) return finish(std::move(results_));
  const Run run{
      .argv = commands_[results_.size()], .env = env_, .timeoutMs = kHookTimeoutMs, .outputLimit = kHookOutputBytes};
  auto program = Program::start(loop_, run, [this](const Ran& ran) { onEnd(ran); });
  if (!program.has_value()) return finish(std::move(program).error().during("hook " + run.argv.front()));
  program_ = std::move(*program);
}

void Hooks::onEnd(const Ran& ran) {
  if (ran.exitCode != 0 || ran.signal != 0 || ran.timedOut) return finish(failure(ran));
  results_.push_back({.exitCode = ran.exitCode, .signal = ran.signal});
  startNext();
}

Error Hooks::failure(const Ran& ran) const {
  const std::string& name = commands_[results_.size()].front();
  return {Remedy::giveUp,
          "hook " + name + " " + howItEnded(ran) + ": " + lastWords(ran.err.empty() ? ran.out : ran.err)};
}

void Hooks::finish(Result<std::vector<HookResult>> result) {
  const Done done = std::move(done_);
  done(std::move(result));
}

}  // namespace qm::agent
