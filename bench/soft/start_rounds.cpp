#include "bench/soft/start_rounds.h"

#include <cstdio>
#include <thread>

#include <fmt/format.h>

#include "bench/soft/cpu_time.h"
#include "bench/start/agent_reply.h"
#include "bench/start/process_memory.h"

namespace qm::bench {

namespace {

// Restores are short: so many in a round.
constexpr int kRestoresPerRound = 2;
constexpr std::uint64_t kOutputLimit = 4096;

Status runEcho(Guest& guest) {
  const agent::Ran ran =
      TRY(guest.run({.argv = {"/bin/echo", "hello"}, .env = {}, .cwd = "/", .outputLimit = kOutputLimit}, deadline()));
  if (ran.exitCode == 0 && ran.out.size() == 6) return {};
  return Error(Remedy::giveUp, "/bin/echo failed in the guest");
}

class StartRounds {
 public:
  StartRounds(const Contenders& contenders, const Recipe& recipe, Figures& figures)
      : contenders_(contenders), recipe_(recipe), figures_(figures) {}

  Status round(std::uint32_t number) {
    counts_ = number > 0;
    for (const auto& contender : contenders_) TRY(boot(*contender).during("booting, " + contender->title()));
    for (int i = 0; i < kRestoresPerRound; ++i) {
      for (const auto& contender : contenders_) TRY(restore(*contender).during("restoring, " + contender->title()));
    }
    return {};
  }

 private:
  Status boot(Contender& contender) {
    TRY(contender.settle());
    const Clock::time_point spawned = Clock::now();
    const std::unique_ptr<Guest> guest = TRY(contender.boot(recipe_));
    add(contender, "boot_ready", TRY(guest->waitForReply(kBootPause)) - spawned);
    return {};
  }
  Status restore(Contender& contender) {
    TRY(contender.settle());
    const Clock::time_point spawned = Clock::now();
    const std::unique_ptr<Guest> guest = TRY(contender.restore());
    add(contender, "restore_reply", TRY(guest->waitForReply(kRestorePause)) - spawned);
    TRY(runEcho(*guest));
    add(contender, "restore_exec", Clock::now() - spawned);
    return {};
  }
  void add(const Contender& contender, const char* name, Clock::duration sample) {
    if (counts_) figures_.add(contender.prefix() + name, sample);
  }

  const Contenders& contenders_;
  const Recipe& recipe_;
  Figures& figures_;
  bool counts_ = false;
};

struct Clone {
  const Contender* contender;
  std::unique_ptr<Guest> guest;
  pid_t pid = -1;
  std::chrono::nanoseconds usedBefore{};
};

Result<std::vector<Clone>> someClones(const Contenders& contenders) {
  constexpr int kClonesOfEach = 3;
  std::vector<Clone> clones;
  for (int i = 0; i < kClonesOfEach; ++i) {
    for (const auto& contender : contenders) {
      clones.push_back({.contender = contender.get(), .guest = TRY(contender->restore())});
      TRY(clones.back().guest->waitForReply(kRestorePause));
      clones.back().pid = TRY(clones.back().guest->pid());
    }
  }
  return clones;
}

}  // namespace

void declareStarts(const Contenders& contenders, Figures& figures) {
  for (const auto& contender : contenders) {
    const auto name = [&](const char* figure) { return contender->prefix() + figure; };
    const std::string title = contender->title();
    figures.declare(name("boot_ready"), Unit::milliseconds, title + ": asked for → agent's first reply");
    figures.declare(name("restore_reply"), Unit::milliseconds, title + ": asked for → restored agent's reply");
    figures.declare(name("restore_exec"), Unit::milliseconds, title + ": asked for the same → /bin/echo has run, too");
    figures.declare(name("clone_private"), Unit::kibibytes, title + ": an idle clone's private memory, by smaps");
    figures.declare(name("clone_shared"), Unit::kibibytes, title + ": likewise, shared");
    figures.declare(name("idle_cpu"), Unit::milliseconds,
                    title + ": an idle clone's CPU time in the time it was watched");
  }
}

Status measureStarts(const Contenders& contenders, const Recipe& recipe, std::uint32_t rounds, Figures& figures) {
  for (const auto& contender : contenders)
    TRY(contender->prepare(recipe).during("saving a guest, " + contender->title()));
  StartRounds starts(contenders, recipe, figures);
  for (std::uint32_t number = 0; number <= rounds; ++number) {
    TRY(starts.round(number));
    fmt::print("starts: round {} of {}\n", number, rounds);
    (void)std::fflush(stdout);
  }
  return {};
}

Status measureIdleClones(const Contenders& contenders, std::chrono::seconds time, Figures& figures) {
  std::vector<Clone> clones = TRY(someClones(contenders));
  std::this_thread::sleep_for(std::chrono::seconds(2));  // idle guests, not starting ones
  for (const Clone& clone : clones) {
    const ProcessMemory memory = TRY(readProcessMemory(clone.pid, ""));
    figures.add(clone.contender->prefix() + "clone_private", memory.privateKib);
    figures.add(clone.contender->prefix() + "clone_shared", memory.sharedKib);
    if (&clone == &clones.front()) fmt::print("private memory of a clone, KiB: {}\n", memory.largest);
  }
  for (Clone& clone : clones) clone.usedBefore = TRY(cpuTimeOf(clone.pid));
  std::this_thread::sleep_for(time);
  for (const Clone& clone : clones)
    figures.add(clone.contender->prefix() + "idle_cpu", TRY(cpuTimeOf(clone.pid)) - clone.usedBefore);
  return {};
}

}  // namespace qm::bench
