#include "api/daemon/daemon.h"

#include <chrono>

#include "api/daemon/board/board_keeper.h"
#include "api/daemon/board/observer_pair.h"
#include "api/daemon/metrics/metrics.h"
#include "api/daemon/rest/routes.h"
#include "api/daemon/server/server.h"
#include "api/daemon/state_folder.h"
#include "api/daemon/vm/left_over_vms.h"
#include "api/daemon/vm/microvm_spawner.h"
#include "pool/shelf/store_shelf.h"
#include "vmm/hypervisor/choice/choice.h"
#include "vmm/os/wait.h"
#include "vmm/version/version.h"

namespace qm {

namespace {

// Less than all is a warning: nothing but this line says it while all goes well.
void tellGroups(const spawner::Groups& groups, const Log& log) {
  const std::string_view controllers = groups.controllers.empty() ? "none" : std::string_view(groups.controllers);
  if (groups.lacks.empty()) {
    log.info("daemon.cgroups", {{"controllers", controllers}});
  } else {
    log.warning("daemon.cgroups", {{"controllers", controllers}, {"missing", groups.lacks}});
  }
}

Result<std::unique_ptr<VmmLauncher>> launcherFor(const DaemonConfig& config, Backend backend, const Log& log) {
  LauncherSettings settings{
      .vmm = config.vmm, .spawner = config.spawner, .backend = backend, .folders = config.folders};
  settings.isolation = config.jail == JailChoice::namespaces ? Isolation::jailed : Isolation::bare;
  settings.seccomp = config.seccomp;
  settings.networkSlots = config.networkSlots;
  settings.log = log;
  // Once for all: half a millisecond and some CPUID, each of which may leave a virtual machine.
  if (backend == Backend::soft) settings.hostCounter = soft::wordOf(soft::HostCounterMeter().counter());
  settings.cgroups = config.cgroups;
  auto launcher = TRY(VmmLauncher::start(settings));
  tellGroups(launcher->groups(), log);
  return launcher;
}

// For all VMs, which are told it by name: the probe takes up to a second.
Result<Backend> backendFor(const DaemonConfig& config, const Log& log) {
  const Decision decision = TRY(decide(config.hypervisor));
  log.info("daemon.hypervisor", {{"name", name(decision.backend)}, {"why", decision.reason}});
  // That KVM opens proves little, so only VMs find it wanting; the CPU in software runs everywhere or nowhere.
  if (decision.backend == Backend::soft) TRY(openBackend(Backend::soft).during("the CPU in software"));
  return decision.backend;
}

}  // namespace

// The members stand in the order in which they need each other, so that they end in the reverse one.
class Daemon::Inside {
 public:
  Inside(StateFolder state, std::unique_ptr<pool::StoreShelf> shelf, std::unique_ptr<VmmLauncher> launcher,
         Backend backend, const DaemonConfig& config, const Log& log)
      : log_(log),
        state_(std::move(state)),
        shelf_(std::move(shelf)),
        launcher_(std::move(launcher)),
        accounts_([this](const VmUse& use) { metrics_.vmGone(use); },
                  [this](const VmEnding& ending) { tellEnding(ending); }),
        spawner_(state_.vms(), *launcher_, accounts_, log),
        pool_({.spawner = spawner_, .shelf = *shelf_, .clock = clock_, .observer = observers_, .log = log},
              config.pool),
        router_(rest::routes({.pool = pool_,
                              .metricsText = [this] { return metricsText(); },
                              .hypervisor = std::string(name(backend))})) {}

  Status serve(const DaemonConfig& config) {
    for (const pool::Recipe& recipe : config.templates) TRY(pool_.putTemplate(recipe).during(recipe.name));
    ServerSettings settings{.socket = config.socket, .threads = config.requestThreads};
    if (!config.listen.empty()) settings.tcp = TRY(parseTcpAddress(config.listen));
    keeper_ = std::make_unique<BoardKeeper>(TRY(board::BoardWriter::create(state_.board())),
                                            BoardKeeper::Sources{.pool = pool_, .tally = tally_, .vms = accounts_});
    server_ = TRY(Server::start(settings, router_, log_));
    log_.info("daemon.serving", {{"version", kVersion},
                                 {"socket", config.socket.string()},
                                 {"tcp_port", server_->tcpPort()},
                                 {"templates", config.templates.size()}});
    return {};
  }

  Status serveUntil(const FileDescriptor& stop) const {
    if (waitForEither(stop, launcher_->lost()) == WhichFirst::first) return {};
    return Error(Remedy::giveUp, "the spawner has ended, and without it no VM can be started; start the daemon again");
  }

  void end() {
    keeper_.reset();
    if (server_) server_->stopListening();
    pool_.shutdown();
    // Calls under way have failed with their VMs; their answers are still written.
    if (server_) server_->stop(std::chrono::seconds(1));
    log_.info("daemon.ended");
  }

 private:
  // A guest may power off when it likes; the rest is for who runs the host to know.
  void tellEnding(const VmEnding& ending) {
    metrics_.vmEnded(ending.how);
    if (ending.how == VmEnd::killed) return;
    const std::initializer_list<Field> fields{
        {"vm", ending.id}, {"template", ending.templateName}, {"how", name(ending.how)}, {"why", ending.why}};
    if (ending.how == VmEnd::exited) return log_.info("vm.ended", fields);
    log_.warning("vm.ended", fields);
  }

  std::string metricsText() {
    return metrics_.text(pool_.pools(), pool_.blanks(), pool_.load(),
                         {.readySlots = launcher_->readySlots(), .egress = launcher_->egress()});
  }

  Log log_;
  StateFolder state_;
  std::unique_ptr<pool::StoreShelf> shelf_;
  std::unique_ptr<VmmLauncher> launcher_;
  pool::SystemClock clock_;
  Metrics metrics_;
  BoardTally tally_;
  ObserverPair observers_{metrics_, tally_};
  VmAccounts accounts_;
  MicrovmSpawner spawner_;
  pool::Pool pool_;
  rest::Router router_;
  std::unique_ptr<BoardKeeper> keeper_;
  std::unique_ptr<Server> server_;
};

Daemon::Daemon(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}

Status Daemon::serveUntil(const FileDescriptor& stop) const {
  return inside_->serveUntil(stop);
}

Daemon::~Daemon() {
  inside_->end();
}

Result<std::unique_ptr<Daemon>> Daemon::start(const DaemonConfig& config, Log log) {
  const Backend backend = TRY(backendFor(config, log));
  StateFolder state = TRY(StateFolder::open(config.state));
  const LeftOver found = TRY(endLeftOverVms(state.vms(), log));
  if (found.folders > 0) {
    log.warning("daemon.left_over", {{"folders", found.folders}, {"processes", found.processes}});
  }
  auto shelf = TRY(pool::StoreShelf::open(state.shelf()));
  auto launcher = TRY(launcherFor(config, backend, log));
  auto inside = std::make_unique<Inside>(std::move(state), std::move(shelf), std::move(launcher), backend, config, log);
  // From here on an error ends what has begun.
  std::unique_ptr<Daemon> daemon(new Daemon(std::move(inside)));
  TRY(daemon->inside_->serve(config));
  return daemon;
}

}  // namespace qm
