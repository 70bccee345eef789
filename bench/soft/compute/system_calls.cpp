// A million getppid(2), by the instruction itself.
#include <sys/syscall.h>

#include "bench/soft/compute/work.h"

namespace qm::compute {

namespace {

constexpr int kCalls = 1'000'000;

long getppid() {
  long answer = SYS_getppid;
  asm volatile("syscall" : "+a"(answer) : : "rcx", "r11", "memory");
  return answer;
}

class SystemCalls final : public Work {
 public:
  // How many calls answered what the first did: all, on every machine.
  std::uint64_t run() override {
    const long parent = getppid();
    std::uint64_t same = 0;
    for (int call = 0; call < kCalls; ++call) same += getppid() == parent ? 1 : 0;
    return same;
  }
};

}  // namespace

std::unique_ptr<Work> systemCalls() {
  return std::make_unique<SystemCalls>();
}

}  // namespace qm::compute
