#include "pool/template/guest_preparation.h"

#include <fmt/format.h>

#include "pool/clock/clock.h"
#include "pool/network/introduction.h"
#include "pool/random/random_nonce.h"

namespace qm::pool {
namespace {

constexpr std::uint64_t kOutputLimit = 64ULL << 10;
constexpr std::size_t kShownOutput = 200;

// The end of what a command said, safe to show: the guest chose it.
std::string shown(const std::vector<std::byte>& output) {
  const std::size_t count = std::min(output.size(), kShownOutput);
  std::string text;
  for (std::size_t i = output.size() - count; i < output.size(); ++i) {
    const char c = std::to_integer<char>(output[i]);
    text += c >= ' ' && c <= '~' ? c : ' ';
  }
  return text;
}

Status succeeded(const Command& command, const agent::Ran& ran) {
  if (ran.exitCode == 0 && ran.signal == 0 && !ran.timedOut) return {};
  const std::string how = ran.timedOut      ? "took too long"
                          : ran.signal != 0 ? fmt::format("was ended by signal {}", ran.signal)
                                            : fmt::format("exited {}", ran.exitCode);
  return Error(Remedy::fixInput, fmt::format("'{}' in the guest {}: {}", command.front(), how, shown(ran.err)));
}

Status runAll(VmProcess& vm, const std::vector<Command>& commands, const Limits& limits, std::string_view doing,
              const Progress& progress) {
  for (std::size_t i = 0; i < commands.size(); ++i) {
    progress(fmt::format("{}, {} of {}", doing, i + 1, commands.size()));
    const agent::Run run{.argv = commands[i],
                         .timeoutMs = static_cast<std::uint32_t>(limits.warmUp.count()),
                         .outputLimit = kOutputLimit};
    const agent::Ran ran = TRY(vm.run(run, deadlineIn(limits.warmUp + limits.reply)).during(doing));
    TRY(succeeded(commands[i], ran).during(doing));
  }
  return {};
}

// The guest's clock, which came from the host as it booted, is set along with its address.
Status introduce(VmProcess& vm, const Recipe& recipe, const Limits& limits) {
  const agent::Renew renew = introduction(recipe.name, SystemClock().wallNow());
  TRY(vm.renew(renew, deadlineIn(limits.renew)).during("telling the guest its address"));
  return {};
}

}  // namespace

Status bootGuest(VmProcess& vm, const Recipe& recipe, const Limits& limits) {
  return vm.boot(bootPlan(recipe), deadlineIn(limits.boot)).during("booting");
}

Status connectBooted(VmProcess& vm, const Limits& limits) {
  return vm.connectAgent(deadlineIn(limits.boot)).during("waiting for the guest's agent");
}

Result<std::uint64_t> learnGuestNonce(VmProcess& vm, const Limits& limits) {
  const agent::Pong pong = TRY(vm.ping(randomNonce(), deadlineIn(limits.reply)).during("the first ping"));
  return pong.guestNonce;
}

Status warmUp(VmProcess& vm, const Recipe& recipe, const Limits& limits, const Progress& progress) {
  if (recipe.network.kind == NetworkKind::slot) TRY(introduce(vm, recipe, limits));
  TRY(runAll(vm, recipe.warmUp, limits, "warming up", progress));
  return runAll(vm, recipe.beforeSnapshot, limits, "running hooks before the snapshot", progress);
}

Status rehearse(VmProcess& vm, const Recipe& recipe, const Limits& limits) {
  return runAll(vm, recipe.rehearsal, limits, "rehearsing", [](std::string_view) {});
}

Status provesMemory(VmProcess& vm, std::uint64_t guestNonce, const Limits& limits) {
  const std::uint64_t nonce = randomNonce();
  const agent::Pong pong = TRY(vm.ping(nonce, deadlineIn(limits.reply)).during("ping"));
  if (pong.nonce != nonce) return Error(Remedy::giveUp, "the guest's agent answered another ping than ours");
  if (pong.guestNonce != guestNonce) {
    return Error(Remedy::giveUp, "the guest's memory is not the template's: its nonce differs");
  }
  return {};
}

}  // namespace qm::pool
