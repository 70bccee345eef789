#include "bench/start/rounds.h"

#include <cstdio>
#include <thread>
#include <vector>

#include <boost/json/value_to.hpp>
#include <fmt/format.h>

#include "bench/start/agent_reply.h"
#include "bench/start/clock.h"
#include "bench/start/floor_run.h"
#include "bench/start/our_vm.h"
#include "bench/start/process_memory.h"
#include "bench/start/qemu_vm.h"

namespace qm::bench {

namespace {

// Restores and floors are short: so many in a round.
constexpr int kShortPerRound = 2;
constexpr std::uint32_t kQemuCid = 1000;

class Bench {
 public:
  Bench(const Places& places, Figures& figures) : places_(places), figures_(figures) {}

  Status prepare();
  Status round(std::uint32_t number);
  Status memory();

 private:
  template <class Sample>
  void add(const std::string& name, Sample sample) {
    if (counts_) figures_.add(name, sample);
  }
  Status floor();
  Status coldBoot();
  Status restore();
  Status qemuColdBoot();
  Status qemuRestore();
  Result<OurVm> spawnVm() {
    return OurVm::spawn(places_.vmm, places_.folder, fmt::format("vm{}", ++next_), {"--hypervisor=kvm"});
  }
  Result<OurVm> bootedVm();

  const Places& places_;
  Figures& figures_;
  bool counts_ = false;
  std::uint32_t next_ = 0;  // numbers VMs
  const SavedVm saved_{.state = places_.folder / "state", .memory = places_.folder / "memory"};
  const std::filesystem::path qemuFile_ = places_.folder / "qemu-saved";
};

Result<OurVm> Bench::bootedVm() {
  OurVm vm = TRY(spawnVm());
  TRY(vm.configure({.kernel = places_.kernel, .initrd = places_.initrd, .disk = {}}));
  return vm;
}

// The two guests that are restored from then on, saved after their first reply.
Status Bench::prepare() {
  OurVm ours = TRY(bootedVm());
  TRY(ours.start());
  TRY(ours.waitForFirstReply(kBootPause));
  TRY(ours.save(saved_));
  TRY(ours.kill());
  const QemuVm qemu = TRY(QemuVm::boot(places_, kQemuCid).during("starting QEMU"));
  TRY(qemu.waitForReply(kBootPause));
  return qemu.save(qemuFile_);
}

Status Bench::floor() {
  const FloorRun run = TRY(runFloor(places_.floor));
  add("floor", run.answer);
  add("floor_teardown", run.teardown);
  return {};
}

Status Bench::coldBoot() {
  const Clock::time_point spawned = Clock::now();
  OurVm vm = TRY(bootedVm());
  const Clock::time_point asked = Clock::now();
  TRY(vm.start());
  const Clock::time_point replied = TRY(vm.waitForFirstReply(kBootPause)).time;
  add("cold_boot_reply", replied - asked);
  add("cold_boot_spawn_reply", replied - spawned);
  const boost::json::object times = TRY(vm.times());
  if (const boost::json::value* init = times.if_contains("boot_time_us"))
    add("cold_boot_init", std::chrono::microseconds(init->to_number<std::int64_t>()));
  return vm.kill();
}

Status Bench::restore() {
  const Clock::time_point spawned = Clock::now();
  OurVm vm = TRY(spawnVm());
  TRY(vm.restore(saved_));
  const Clock::time_point resumed = Clock::now();
  const Clock::time_point replied = TRY(vm.waitForFirstReply(kRestorePause)).time;
  const boost::json::object times = TRY(vm.times());
  const auto phase = [&](const char* name) {
    const boost::json::value* value = times.if_contains(name);
    return std::chrono::microseconds(value == nullptr ? 0 : value->to_number<std::int64_t>());
  };
  const auto open = phase("snapshot_open_us"), load = phase("restore_us"), resume = phase("resume_us");
  add("restore_reply", replied - spawned);
  add("restore_process", resumed - spawned - open - load - resume);
  add("restore_open", open);
  add("restore_load", load);
  add("restore_first_run", replied - resumed + resume);
  const Clock::time_point killed = Clock::now();
  TRY(vm.kill());
  add("teardown", Clock::now() - killed);
  return {};
}

Status Bench::qemuColdBoot() {
  const Clock::time_point spawned = Clock::now();
  const QemuVm vm = TRY(QemuVm::boot(places_, kQemuCid));
  add("qemu_cold_boot_reply", TRY(vm.waitForReply(kBootPause)) - spawned);
  return {};
}

Status Bench::qemuRestore() {
  const Clock::time_point spawned = Clock::now();
  const QemuVm vm = TRY(QemuVm::restore(places_, kQemuCid, qemuFile_));
  add("qemu_restore_reply", TRY(vm.waitForReply(kRestorePause)) - spawned);
  return {};
}

Status Bench::round(std::uint32_t number) {
  counts_ = number > 0;
  for (int i = 0; i < kShortPerRound; ++i) {
    TRY(floor().during("the floor"));
    TRY(restore().during("restoring with quickmatch-vmm"));
  }
  TRY(coldBoot().during("booting with quickmatch-vmm"));
  TRY(qemuRestore().during("restoring with QEMU"));
  return qemuColdBoot().during("booting with QEMU");
}

// Several at once: what they share counts as shared only while more than one has it.
Status Bench::memory() {
  constexpr int kClones = 5;
  counts_ = true;
  std::vector<OurVm> clones;
  for (int i = 0; i < kClones; ++i) {
    clones.push_back(TRY(spawnVm()));
    TRY(clones.back().restore(saved_));
    TRY(clones.back().waitForFirstReply(kRestorePause));
  }
  std::this_thread::sleep_for(std::chrono::seconds(2));  // idle guests, not starting ones
  for (const OurVm& clone : clones) {
    const ProcessMemory memory = TRY(readProcessMemory(clone.pid(), saved_.memory.native()));
    add("clone_private", memory.privateKib);
    add("clone_shared", memory.sharedKib);
    add("vmm_overhead", memory.privateOutsideRamKib);
    if (&clone == &clones.back()) fmt::print("private memory of a clone, KiB: {}\n", memory.largest);
  }
  return {};
}

}  // namespace

void declareFigures(Figures& figures) {
  const auto time = [&](const char* name, const char* meaning) { figures.declare(name, Unit::milliseconds, meaning); };
  time("floor", "bare KVM program: spawn → it says that its guest wrote a port");
  time("floor_teardown", "bare KVM program: its answer → reaped");
  time("cold_boot_init", "our boot: vCPU starts → guest's init writes the boot timer");
  time("cold_boot_reply", "our boot: InstanceStart asked → agent's reply");
  time("cold_boot_spawn_reply", "our boot: spawn → agent's reply");
  time("restore_reply", "our restore: spawn → agent's reply; of it the next four:");
  time("restore_process", "  spawn, until the API answers, its requests");
  time("restore_open", "  state read and decoded, memory mapped");
  time("restore_load", "  KVM opened, VM and vCPU made, state loaded, devices");
  time("restore_first_run", "  resume → agent's reply over a connection made for it");
  time("teardown", "our clone: SIGKILL → reaped");
  time("acquire", "pool, jailed: POST /v1/leases → 201, road ready");
  time("acquire_reply", "pool, jailed: POST /v1/leases → reply by GET …/ping");
  time("release", "pool, jailed: DELETE → 204");
  time("qemu_cold_boot_reply", "QEMU microvm, KVM: spawn → agent's reply");
  time("qemu_restore_reply", "QEMU microvm, KVM: spawn with -incoming → agent's reply");
  figures.declare("clone_private", Unit::kibibytes, "idle clone: private, by smaps, five clones alive");
  figures.declare("clone_shared", Unit::kibibytes, "idle clone: shared, likewise");
  figures.declare("vmm_overhead", Unit::kibibytes, "idle clone: private outside the guest's RAM");
}

Status measureRounds(const Places& places, std::uint32_t rounds, Figures& figures) {
  Bench bench(places, figures);
  TRY(bench.prepare().during("making the snapshots"));
  for (std::uint32_t number = 0; number <= rounds; ++number) {
    const Clock::time_point start = Clock::now();
    TRY(bench.round(number));
    fmt::print("round {} of {}: {:.1f} s\n", number, rounds,
               std::chrono::duration<double>(Clock::now() - start).count());
    (void)std::fflush(stdout);
  }
  return bench.memory().during("looking at clones' memory");
}

}  // namespace qm::bench
