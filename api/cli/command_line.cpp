#include "api/cli/command_line.h"

#include <functional>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "api/board/board_values.h"
#include "api/cli/command.h"
#include "vmm/os/standard_streams.h"
#include "vmm/version/version.h"

namespace qm::cli {

namespace {

// Everything that some option or argument may set; each command reads its own part.
struct Words {
  std::string socket;
  bool json = false;
  bool verbose = false;
  bool once = false;
  std::string board;
  AcquireOptions acquire;
  ExecOptions exec;
  std::string lease;
  std::string ports;
  std::string name;
  std::string file;
  std::uint64_t ttlSeconds = 60;
};

using Chosen = std::function<int(DaemonApi&, Format)>;

CLI::App* command(CLI::App& above, const char* name, const char* does, Chosen& chosen, Chosen action) {
  CLI::App* app = above.add_subcommand(name, does);
  app->callback([&chosen, action = std::move(action)] { chosen = action; });
  return app;
}

void addAcquireOptions(CLI::App& app, Words& words) {
  app.add_option("TEMPLATE", words.acquire.templateName, "The template's name")->required();
  app.add_option("--ttl", words.acquire.ttlSeconds, "Seconds until the lease ends by itself")->capture_default_str();
  app.add_option("--wait-ms", words.acquire.waitMs, "Wait that long for a ready clone before a slower road");
  app.add_option("--road", words.acquire.road, "ready, blank, spawn or boot: this one or none");
}

void addExecOptions(CLI::App& app, Words& words) {
  // One value each time: what follows is not its own, nor is the "--" before the command.
  app.add_option("--env,-e", words.exec.environment, "A variable, NAME=VALUE; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--cwd", words.exec.folder, "The working directory");
  app.add_option("--user", words.exec.user, "The user to run as");
  app.add_option("--timeout-ms", words.exec.timeoutMs, "Kill the command after that long");
  app.add_option("COMMAND", words.exec.argv, "The program and its arguments, after --")->required();
}

void addLease(CLI::App& app, Words& words) {
  app.add_option("LEASE", words.lease, "ID:TOKEN, as acquire shows it")->required();
}

void addLeaseCommands(CLI::App& app, Words& words, Chosen& chosen) {
  CLI::App* run = command(app, "run", "Run a command in a VM of its own", chosen, [&words](DaemonApi& api, Format) {
    return cli::run(api, words.acquire, words.exec, words.verbose ? Verbosity::verbose : Verbosity::quiet);
  });
  addAcquireOptions(*run, words);
  addExecOptions(*run, words);
  run->add_flag("--verbose,-v", words.verbose, "Tell the road and its phases");
  addAcquireOptions(*command(app, "acquire", "Get a VM", chosen,
                             [&words](DaemonApi& api, Format format) { return acquire(api, format, words.acquire); }),
                    words);
  addLease(*command(app, "ping", "One round trip to the agent inside", chosen,
                    [&words](DaemonApi& api, Format format) { return ping(api, format, words.lease); }),
           words);
  CLI::App* exec =
      command(app, "exec", "Run a command in a VM that was acquired", chosen, [&words](DaemonApi& api, Format) {
        return cli::exec(api, words.json ? Format::json : Format::table, words.lease, words.exec);
      });
  addLease(*exec, words);
  addExecOptions(*exec, words);
  CLI::App* renewal = command(app, "renew", "Move a lease's end", chosen, [&words](DaemonApi& api, Format format) {
    return renew(api, format, words.lease, words.ttlSeconds);
  });
  addLease(*renewal, words);
  renewal->add_option("--ttl", words.ttlSeconds, "Seconds from now")->capture_default_str();
  addLease(*command(app, "release", "End a lease; its VM is destroyed", chosen,
                    [&words](DaemonApi& api, Format) { return release(api, words.lease); }),
           words);
  CLI::App* forwarding = command(app, "forward", "A port of this host that leads to one of the guest", chosen,
                                 [&words](DaemonApi& api, Format) { return forward(api, words.lease, words.ports); });
  addLease(*forwarding, words);
  forwarding->add_option("PORTS", words.ports, "LOCAL:PORT: on 127.0.0.1 (0: any), and in the guest")->required();
  command(app, "leases", "All leases that have not ended", chosen,
          [](DaemonApi& api, Format format) { return listLeases(api, format); });
}

void addTemplateCommands(CLI::App& app, Words& words, Chosen& chosen) {
  CLI::App* group = app.add_subcommand("template", "Templates: what VMs are made from");
  group->require_subcommand(1);
  command(*group, "ls", "List them", chosen, [](DaemonApi& api, Format format) { return listTemplates(api, format); });
  CLI::App* put = command(*group, "put", "Add or replace one", chosen, [&words](DaemonApi& api, Format format) {
    return putTemplate(api, format, words.name, words.file);
  });
  put->add_option("NAME", words.name, "Its name")->required();
  put->add_option("FILE", words.file, "Its recipe, JSON (docs/api.md)")->required();
  CLI::App* build = command(*group, "build", "Make its snapshot anew", chosen,
                            [&words](DaemonApi& api, Format format) { return buildTemplate(api, format, words.name); });
  build->add_option("NAME", words.name, "Its name")->required();
  CLI::App* remove = command(*group, "rm", "Remove one", chosen,
                             [&words](DaemonApi& api, Format) { return removeTemplate(api, words.name); });
  remove->add_option("NAME", words.name, "Its name")->required();
}

// Beside the socket, unless that was put elsewhere.
std::filesystem::path boardOf(const Words& words, const DaemonApi& api) {
  return words.board.empty() ? api.socket().parent_path() / board::kFileName : std::filesystem::path(words.board);
}

void addOtherCommands(CLI::App& app, Words& words, Chosen& chosen) {
  CLI::App* top = command(app, "top", "How the daemon stands, live, without asking it", chosen,
                          [&words](DaemonApi& api, Format format) {
                            return cli::top(boardOf(words, api), format, words.once ? Showing::once : Showing::live);
                          });
  top->add_flag("--once", words.once, "Show it once");
  top->add_option("--board", words.board, "The daemon's board [board, beside its socket]");
  CLI::App* pools = app.add_subcommand("pool", "Pools: the clones kept ready");
  pools->require_subcommand(1);
  command(*pools, "ls", "List them", chosen, [](DaemonApi& api, Format format) { return listPools(api, format); });
  command(app, "doctor", "What this host allows and lacks", chosen,
          [](DaemonApi& api, Format format) { return doctor(api, format); });
  command(app, "version", "This program's version", chosen, [](DaemonApi&, Format format) {
    return show(format, boost::json::object{{"version", kVersion}}, {{std::string("quickmatch ") + kVersion}});
  });
}

}  // namespace

int runCommandLine(int count, char** words, const Environment& environment) {
  CLI::App app("Warm microVMs.", "quickmatch");
  app.require_subcommand(1);
  app.fallthrough();
  Words given;
  Chosen chosen;
  app.add_option("--socket", given.socket, "The daemon's socket [$QUICKMATCH_SOCKET]");
  app.add_flag("--json", given.json, "JSON, also on a terminal");
  addLeaseCommands(app, given, chosen);
  addTemplateCommands(app, given, chosen);
  addOtherCommands(app, given, chosen);
  try {
    app.parse(count, words);
  } catch (const CLI::ParseError& stop) {
    return app.exit(stop) == 0 ? kDone : kMistyped;
  }
  DaemonApi api(given.socket.empty() ? defaultApiSocket(environment) : std::filesystem::path(given.socket));
  return chosen(api, given.json || !isTerminal(StandardStream::output) ? Format::json : Format::table);
}

}  // namespace qm::cli
