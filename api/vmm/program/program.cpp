#include "api/vmm/program/program.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <memory>
#include <thread>

#include <fmt/format.h>

#include "api/vmm/controller/control_port.h"
#include "api/vmm/controller/controller.h"
#include "api/vmm/program/console.h"
#include "api/vmm/program/slot_report.h"
#include "api/vmm/request/config_file.h"
#include "api/vmm/request/parse.h"
#include "api/vmm/script/input_script.h"
#include "api/vmm/server/server.h"
#include "vmm/hypervisor/choice/choice.h"
#include "vmm/loop/event_loop.h"
#include "vmm/os/piped_child.h"
#include "vmm/os/privilege.h"
#include "vmm/os/signals.h"
#include "vmm/result/check.h"
#include "vmm/seccomp/violation.h"

namespace qm::vmm {

namespace {

// The program's exit code, given once.
class Ending {
 public:
  // Any thread; the first code counts.
  void set(int code) {
    if (!given_.test_and_set()) code_.set_value(code);
  }
  int wait() { return code_.get_future().get(); }

 private:
  std::atomic_flag given_;
  std::promise<int> code_;
};

// A thread that is not restricted as was asked must not go on.
void restrictThisThread(seccomp::ThreadRole role, seccomp::Level level) {
  const Status done = seccomp::restrictThread(role, level);
  if (!done.has_value()) fmt::print(stderr, "quickmatch-vmm: {}\n", done.error().text());
  CHECK(done.has_value());
}

class LoopThread {
 public:
  LoopThread(EventLoop& loop, seccomp::Level level)
      : loop_(loop), thread_([&loop, level] {
          restrictThisThread(seccomp::ThreadRole::loop, level);
          loop.run();
        }) {}
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;
  ~LoopThread() {
    loop_.stop();
    thread_.join();
  }

 private:
  EventLoop& loop_;
  std::thread thread_;
};

// Any thread but the loop's.
Answer executeOn(EventLoop& loop, Controller& controller, const Request& request) {
  Answer answer;
  loop.postAndWait([&] { answer = controller.execute(request); });
  return answer;
}

Server::Handler handlerOf(EventLoop& loop, Controller& controller) {
  return [&loop, &controller](std::string_view method, std::string_view target, std::string_view body) {
    const Result<Request> request = parseRequest(method, target, body);
    if (!request.has_value()) return fault(request.error().text());
    return executeOn(loop, controller, *request);
  };
}

Result<std::vector<Request>> requestsOf(const std::filesystem::path& configFile) {
  if (configFile.empty()) return std::vector<Request>{};
  constexpr std::uint64_t kLongestConfigFile = 1U << 20U;
  const std::vector<std::byte> bytes = TRY(readWholeFile(configFile, kLongestConfigFile));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::vector<Request> requests = TRY(readConfigFile(text).during(configFile.string()));
  requests.emplace_back(StartInstance{});
  return requests;
}

Result<std::vector<script::Line>> scriptIn(const std::filesystem::path& file) {
  if (file.empty()) return std::vector<script::Line>{};
  const std::vector<std::byte> bytes = TRY(readWholeFile(file, script::kMostScriptBytes));
  return script::readScript({reinterpret_cast<const char*>(bytes.data()), bytes.size()}).during(file.string());
}

// Null: there is none.
Result<std::unique_ptr<slot::Writer>> openSlot(const Options& options) {
  if (!options.slot) return std::unique_ptr<slot::Writer>();
  auto page = std::make_unique<slot::Writer>(TRY(slot::Writer::open(FileDescriptor(*options.slot))));
  page->mark(slot::Moment::begun);
  return page;
}

// Asked for the first machine, not at the start: with `auto` deciding takes a guest of its own.
Result<std::unique_ptr<Hypervisor>> openChosen(const Options& options, slot::Writer* page, const Log& log) {
  const Decision decision = TRY(decide(options.hypervisor));
  log.info("vmm.hypervisor", {{"id", options.id}, {"name", name(decision.backend)}, {"why", decision.reason}});
  SoftSettings soft = options.soft;
  soft.observer = {.onUnmodelled =
                       [&log](std::string_view mnemonic, std::uint64_t rip) {
                         log.warning("cpu.unmodelled", {{"instruction", mnemonic}, {"rip", fmt::format("{:#x}", rip)}});
                       },
                   .onEnd =
                       [&log](const SoftCounters& counters) {
                         log.info("cpu.ended",
                                  {{"instructions", counters.instructions}, {"decoded", counters.decoded}});
                       }};
  if (page != nullptr) {
    soft.observer.onCount = [page](std::uint32_t vcpu, const SoftCounters& counters) {
      page->counted(vcpu, counters.instructions, counters.decoded);
    };
  }
  return openBackend(decision.backend, soft);
}

}  // namespace

Result<int> runProgram(const Options& options, const Log& log) {
  // In a jail a VMM is the first process of its pid namespace; outside, its owner may look into it.
  if (::getpid() == 1) TRY(hideFromOthers());
  const std::unique_ptr<slot::Writer> page = TRY(openSlot(options));
  blockSignals({SIGTERM, SIGINT});
  ignoreBrokenPipes();
  const std::vector<Request> requests = TRY(requestsOf(options.configFile));
  const std::vector<script::Line> script = TRY(scriptIn(options.inputScript));
  Console console(TRY(Console::openFile(options.console)), options.consoleBytes);
  const std::unique_ptr<EventLoop> loop = TRY(EventLoop::create());
  if (page != nullptr) reportBeats(*loop, *page);

  Ending ending;
  std::unique_ptr<Server> server;  // made before the loop runs, and then the same until it has stopped
  const auto end = [&](int code) {
    ending.set(code);
    if (server != nullptr) server->stop();
  };
  Controller controller({.id = options.id,
                         .loop = *loop,
                         .log = log,
                         .openHypervisor = [&] { return openChosen(options, page.get(), log); },
                         .clock = options.soft.clock,
                         .seed = options.soft.seed,
                         .script = script,
                         .onVcpuThread = [&options] { restrictThisThread(seccomp::ThreadRole::vcpu, options.seccomp); },
                         .onExit = exitsTo(page.get()),
                         .slot = page.get(),
                         .onConsole = [&console](std::span<const std::uint8_t> bytes) { console.write(bytes); },
                         .onReset = [&console] { console.forget(); },
                         .onEnd = end});
  const FileDescriptor signals = TRY(watchSignals({SIGTERM, SIGINT}));
  TRY(loop->watch(signals, Ready::readable, [&](Ready) {
    loop->unwatch(signals);
    log.info("vmm.stopped", {{"id", options.id}, {"reason", "signal"}});
    end(0);
  }));
  if (!options.apiSocket.empty()) server = TRY(Server::listen(options.apiSocket, handlerOf(*loop, controller)));

  std::unique_ptr<ControlPort> control;
  if (options.control) {
    control = TRY(ControlPort::open(FileDescriptor(*options.control), *loop, controller, [&] {
      log.info("vmm.stopped", {{"id", options.id}, {"reason", "the daemon is gone"}});
      end(0);
    }));
  }

  if (page != nullptr) {
    page->mark(slot::Moment::listening);
    page->move(slot::State::blank);
  }
  TRY(seccomp::endOnViolation());
  const LoopThread loopThread(*loop, options.seccomp);
  // Once the loop's thread is there: this one starts no other.
  restrictThisThread(seccomp::ThreadRole::api, options.seccomp);
  for (const Request& request : requests) {
    const Answer answer = executeOn(*loop, controller, request);
    if (answer.status >= 300) return Error(Remedy::fixInput, options.configFile.string() + ": " + answer.body);
  }
  if (server != nullptr) server->run();
  return ending.wait();
}

}  // namespace qm::vmm
