#include "api/vmm/jail/jail_command.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <span>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "api/vmm/jail/jail_cgroups.h"
#include "api/vmm/jail/jail_options.h"
#include "vmm/jail/jail_plan.h"
#include "vmm/os/copy.h"
#include "vmm/os/folder.h"
#include "vmm/os/landlock.h"
#include "vmm/os/mount.h"
#include "vmm/os/namespaces.h"
#include "vmm/os/privilege.h"
#include "vmm/os/program.h"
#include "vmm/seccomp/jail_filter.h"

namespace qm::vmm {

namespace {

struct Opened {
  FileDescriptor program;
  FileDescriptor null;
  FileDescriptor root;  // a mount that stands nowhere yet
};

Result<Opened> open(const JailOptions& options) {
  Opened opened;
  opened.program = TRY(openFile(options.execFile, OpenMode::read));
  opened.null = TRY(openFile("/dev/null", OpenMode::readWrite));
  std::error_code failure;
  std::filesystem::create_directories(options.root(), failure);
  if (failure) return systemError(Remedy::fixInput, "mkdir " + options.root().string(), failure.value());
  opened.root = TRY(cloneTree(options.root()));
  TRY(restrictTree(opened.root, {.devices = true}));
  TRY(changeOwner(opened.root, options.uid));
  return opened;
}

// Those that the host has; one that is there from an earlier jail of this name is good.
Status makeDevices(const std::vector<std::pair<JailDevice, dev_t>>& devices, gid_t gid) {
  for (const auto& [which, number] : devices) {
    if (::access(pathOf(which).c_str(), F_OK) == 0) continue;
    TRY(makeDevice(pathOf(which), number, gid));
  }
  return {};
}

std::vector<std::pair<JailDevice, dev_t>> devicesOfHost() {
  std::vector<std::pair<JailDevice, dev_t>> devices;
  for (const JailDevice which : {JailDevice::kvm, JailDevice::tun, JailDevice::userfaultfd}) {
    const Result<FileDescriptor> node = openFile(pathOf(which), OpenMode::read);
    if (!node.has_value()) continue;
    const Result<FileFacts> facts = factsOf(*node);
    if (facts.has_value() && facts->kind == FileKind::device) devices.emplace_back(which, facts->device);
  }
  return devices;
}

Status enterRoot(const JailOptions& options, const Opened& opened) {
  const auto devices = devicesOfHost();
  constexpr std::array kOwn{Namespace::mount, Namespace::ipc, Namespace::uts, Namespace::cgroup};
  TRY(moveToOwn(kOwn));
  TRY(makeMountsPrivate());
  TRY(enterAsRoot(opened.root));
  return makeDevices(devices, options.gid);
}

Status surrender(const JailOptions& options) {
  TRY(emptyBoundingSet());
  TRY(becomeUser(options.uid, options.gid));
  TRY(surrenderPrivileges());
  if (landlockVersion() > 0) {
    const FileDescriptor denials = TRY(jailDenials(NewFiles::allowed));
    TRY(restrictBy(denials));
  }
  return seccomp::restrictJailed();
}

Status becomeJailed(const JailOptions& options, const Opened& opened, FileDescriptor& teller) {
  if (options.daemonize) TRY(beginAfresh());
  TRY(enterRoot(options, opened).during("making the jail's root"));
  TRY(surrender(options).during("leaving privileges"));
  ProgramPlan program{.executable = opened.program.get(),
                      .arguments = {options.execFile.filename(), "--id", options.id},
                      .descriptors = {},
                      .null = opened.null.get()};
  program.arguments.insert(program.arguments.end(), options.arguments.begin(), options.arguments.end());
  if (!options.daemonize) {
    for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
      program.descriptors.push_back({.ours = number, .number = number});
  }
  return becomeProgram(program, teller).during("starting " + options.execFile.string());
}

Status rememberPid(const JailOptions& options, pid_t pid) {
  const std::filesystem::path path = options.root() / (options.execFile.filename().string() + ".pid");
  const FileDescriptor file = TRY(openFile(path, OpenMode::create));
  const std::string text = std::to_string(pid);
  return writeAll(file, std::as_bytes(std::span(text)));
}

// Of a new pid namespace a copy is the first process, and this one ends; so it is for a program that is to be a daemon.
Status run(const JailOptions& options) {
  if (ownPrivilege() == Privilege::none) return Error(Remedy::fixInput, "a jail is made by root");
  const Opened opened = TRY(open(options));
  TRY(limitThis(options.limits));
  TRY(enterCgroups(options).during("entering the control groups"));
  if (!options.netns.empty()) {
    const FileDescriptor network = TRY(openFile(options.netns, OpenMode::read));
    TRY(enterNamespace(network, Namespace::network));
  }
  FileDescriptor noTeller;
  if (!options.newPidNamespace && !options.daemonize) {
    noTeller = TRY(opened.null.duplicate());
    return becomeJailed(options, opened, noTeller);
  }
  std::vector<Namespace> namespaces;
  if (options.newPidNamespace) namespaces.push_back(Namespace::pid);
  constexpr std::chrono::seconds kLimit{10};
  const Process process =
      TRY(runInCopy(namespaces, [&](FileDescriptor& teller) { return becomeJailed(options, opened, teller); }, kLimit));
  return rememberPid(options, process.pid());
}

}  // namespace

int runJail(int count, const char* const* words) {
  const auto given = std::span(words, static_cast<std::size_t>(count)).subspan(1);
  if (std::ranges::any_of(given, [](std::string_view word) { return word == "--help" || word == "-h"; })) {
    fmt::print("{}", jailHelp());
    return 0;
  }
  const Result<JailOptions> options = parseJailOptions(given);
  if (!options.has_value()) {
    fmt::print(stderr, "quickmatch-vmm jail: {}\n", options.error().text());
    return 2;
  }
  const Status done = run(*options);
  if (done.has_value()) return 0;
  fmt::print(stderr, "quickmatch-vmm jail: {}\n", done.error().text());
  return 1;
}

}  // namespace qm::vmm
