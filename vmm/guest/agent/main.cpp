// quickmatch-agent: init of a guest's initramfs, or a program that the image's own init starts as root.
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <span>

#include "vmm/guest/agent/agent.h"
#include "vmm/guest/agent/renew_machine.h"
#include "vmm/guest/system/init_duties.h"
#include "vmm/guest/system/kernel_settings.h"
#include "vmm/guest/system/mounts.h"
#include "vmm/guest/system/network.h"
#include "vmm/guest/system/port.h"
#include "vmm/os/random.h"
#include "vmm/os/vsock_socket.h"

namespace {

using namespace qm;

// The kernel sends the answer to Stop by a worker of its own; a reset at once would take it along.
constexpr std::chrono::milliseconds kLastWords(20);

void say(const std::string& line) {
  (void)std::fputs((line + "\n").c_str(), stdout);
  (void)std::fflush(stdout);
}

// All that this program may touch is mapped before a snapshot is taken: each fault on the way to an answer costs a
// clone some 1,600 instructions and a page of page table.
void keepInMemory() {
  // What is not mapped then is mapped when it is used.
  (void)::mlockall(MCL_CURRENT);
}

Status setUpMachine() {
  TRY(guest::mountDevices());
  // A VMM without a boot timer is none of a guest's concern.
  (void)guest::tellBootTimer();
  TRY(guest::mountKernelFileSystems());
  guest::quietKernel();
  const std::string commandLine = TRY(readKernelFile("/proc/cmdline"));
  const std::string root = guest::kernelParameter(commandLine, "qm.root");
  if (!root.empty()) TRY(guest::enterOverlay(root));
  const guest::NetworkInterface loopback = TRY(guest::NetworkInterface::open("lo"));
  return loopback.bringUp();
}

std::uint64_t randomNumber() {
  std::uint64_t number = 0;
  fillRandom(std::as_writable_bytes(std::span(&number, 1)));
  return number;
}

agent::Machine machineOf(EventLoop& loop) {
  return {.guestNonce = randomNumber(), .renew = agent::renewMachine, .powerOff = [&loop] {
            loop.at(std::chrono::steady_clock::now() + kLastWords, [] { (void)guest::restart(); });
          }};
}

// A VMM without vsock names a port instead.
Status servePort(agent::Agent& agent) {
  const std::string commandLine = TRY(readKernelFile("/proc/cmdline"));
  const std::string port = guest::kernelParameter(commandLine, "qm.port");
  if (port.empty()) return {};
  return agent.serve(TRY(guest::relayPort(port)));
}

Status serve() {
  const auto loop = TRY(EventLoop::create());
  agent::Agent agent(*loop, machineOf(*loop));
  const FileDescriptor listener = TRY(listenVsock(agent::kAgentPort, Blocking::no));
  TRY(loop->watch(listener, Ready::readable, [&](Ready) {
    auto stream = acceptVsock(listener, Blocking::no);
    // One too many is closed by its destruction; the host tries again.
    if (stream.has_value()) (void)agent.serve(std::move(*stream));
  }));
  FileDescriptor children;
  if (::getpid() == 1) {
    TRY(servePort(agent));
    children = TRY(guest::watchChildren());
    TRY(loop->watch(children, Ready::readable,
                    [&](Ready) { guest::reapOrphans(children, [&](pid_t pid) { return agent.collect(pid); }); }));
  }
  if (::getpid() == 1) keepInMemory();
  say("quickmatch-agent ready");
  loop->run();
  return {};
}

}  // namespace

int main() {
  forgetInheritedSignals();
  ignoreBrokenPipes();
  Status status;
  if (::getpid() == 1) status = setUpMachine();
  if (status.has_value()) status = serve();
  if (!status.has_value()) say("quickmatch-agent: " + status.error().text());
  // Init that ends is a kernel panic, which by panic=-1 resets the machine: what a VM whose agent cannot serve should
  // do.
  return 1;
}
