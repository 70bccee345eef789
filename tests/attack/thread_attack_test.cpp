// Each thread of a VMM with a running guest makes calls that its filter refuses.
#include <sys/syscall.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/attack/injected_call.h"
#include "tests/service/lone_vmm.h"
#include "vmm/seccomp/violation.h"

namespace qm::test {
namespace {

using testing::HasSubstr;

enum class Which : std::uint8_t { api, loop, vcpu };

const char* nameOf(Which which) {
  return which == Which::api ? "api" : which == Which::loop ? "loop" : "vcpu";
}

// The first thread answers the API, those of vCPUs say so in their names.
pid_t threadOf(pid_t process, Which which) {
  for (const ThreadOfProcess& thread : threadsOf(process)) {
    const bool isVcpu = thread.name.starts_with("vcpu");
    if (which == Which::api && thread.id == process) return thread.id;
    if (which == Which::vcpu && isVcpu) return thread.id;
    if (which == Which::loop && thread.id != process && !isVcpu) return thread.id;
  }
  ADD_FAILURE() << "the VMM has no thread " << nameOf(which);
  return process;
}

std::string textOf(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// "Seccomp_filters:" of proc(5), Linux 5.9.
int filtersOf(pid_t process, pid_t thread) {
  std::istringstream status(textOf("/proc/" + std::to_string(process) + "/task/" + std::to_string(thread) + "/status"));
  for (std::string word; status >> word;) {
    int count = 0;
    if (word == "Seccomp_filters:" && status >> count) return count;
  }
  return -1;
}

class ThreadAttack : public testing::TestWithParam<Which> {
 protected:
  // The guest runs, in a thread that has its maker's filter and its own.
  ThreadAttack() {
    vmm.boot();
    EXPECT_TRUE(eventually([process = vmm.process().pid()] {
      return std::ranges::any_of(threadsOf(process), [process](const ThreadOfProcess& thread) {
        return thread.name.starts_with("vcpu") && filtersOf(process, thread.id) == 2;
      });
    }));
  }
  LoneVmm vmm;
};

TEST_P(ThreadAttack, AForbiddenCallEndsThisVmAndIsNamed) {
  LoneVmm neighbour;
  const pid_t process = vmm.process().pid();
  inject(process, threadOf(process, GetParam()), {.number = SYS_execve});
  EXPECT_EQ(vmm.process().reap(), ProcessEnd{.code = seccomp::kViolationExit});
  EXPECT_THAT(textOf(vmm.folder() / "log"),
              HasSubstr(std::string("error seccomp.refused thread=") + nameOf(GetParam()) + " call=execve\n"));
  EXPECT_EQ(neighbour.get("/").at("state"), "Not started");
}

TEST_P(ThreadAttack, ACallWithAForbiddenArgumentEndsItToo) {
  const pid_t process = vmm.process().pid();
  constexpr std::uint64_t kExecutable = 4;  // PROT_EXEC
  inject(process, threadOf(process, GetParam()), {.number = SYS_mprotect, .arguments = {0, 4096, kExecutable}});
  EXPECT_EQ(vmm.process().reap(), ProcessEnd{.code = seccomp::kViolationExit});
  EXPECT_THAT(textOf(vmm.folder() / "log"),
              HasSubstr(std::string("error seccomp.refused thread=") + nameOf(GetParam()) + " call=mprotect\n"));
}

TEST_P(ThreadAttack, EveryThreadHasItsFilter) {
  const pid_t process = vmm.process().pid();
  EXPECT_EQ(filtersOf(process, threadOf(process, GetParam())), GetParam() == Which::vcpu ? 2 : 1);
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadAttack, testing::Values(Which::api, Which::loop, Which::vcpu),
                         [](const auto& which) { return nameOf(which.param); });

}  // namespace
}  // namespace qm::test
