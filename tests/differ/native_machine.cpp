#include "tests/differ/native_machine.h"

#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "tests/differ/harness.h"
#include "tests/differ/slot_image.h"
#include "vmm/result/check.h"

extern "C" {
void differEnter();
void differSignal(int number, siginfo_t* info, void* context);
void differOnSignal(int number, siginfo_t* info, void* context);
}

namespace qm::differ {

namespace {

constexpr std::array kSignals{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
constexpr std::uint64_t kPageFault = 14;

// Sandbox addresses are this process's own, by construction.
std::uint8_t* memoryAt(std::uint64_t address) {
  return reinterpret_cast<std::uint8_t*>(address);  // NOLINT(performance-no-int-to-ptr)
}

std::span<std::uint8_t> slotMemory(std::size_t slot) {
  return {memoryAt(slotAddress(slot)), kSlotBytes};
}

int accessOf(PageAccess access) {
  switch (access) {
    case PageAccess::readExecute:
      return PROT_READ | PROT_EXEC;
    case PageAccess::readOnly:
      return PROT_READ;
    case PageAccess::readWrite:
      return PROT_READ | PROT_WRITE;
    case PageAccess::readWriteExecute:
      return PROT_READ | PROT_WRITE | PROT_EXEC;
  }
  std::unreachable();
}

class NativeMachine final : public Machine {
 public:
  static Result<std::unique_ptr<Machine>> open(const Generator& generator);
  NativeMachine(const NativeMachine&) = delete;
  NativeMachine& operator=(const NativeMachine&) = delete;
  ~NativeMachine() override;

  std::string name() const override { return "native"; }
  Status run(std::span<const Case> cases, std::span<Ending> endings) override;

 private:
  NativeMachine() : signalStack_(64UL * 1024) {}
  static Status protect(std::uint64_t start, std::uint64_t bytes, int access);
  static Status protectAll();
  Status catchSignals();

  std::vector<std::uint8_t> signalStack_;
  std::array<struct sigaction, kSignals.size()> former_{};
  stack_t formerStack_{};
  bool caught_ = false;
};

Result<std::unique_ptr<Machine>> NativeMachine::open(const Generator& generator) {
  constexpr unsigned long kFsGsBase = 2;  // HWCAP2_FSGSBASE: Linux Documentation/arch/x86/x86_64/fsgs.rst
  if ((getauxval(AT_HWCAP2) & kFsGsBase) == 0)
    return Error(Remedy::giveUp, "this host gives user mode no FSGSBASE, which the differ's harness needs");
  void* const place = mmap(memoryAt(kSandbox), kSandboxBytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_POPULATE, -1, 0);
  if (place == MAP_FAILED) return systemError(Remedy::giveUp, "mapping the sandbox at its place", errno);
  std::unique_ptr<NativeMachine> machine(new NativeMachine);

  const auto harness = harnessCode();
  CHECK(harness.size() <= kPage);
  std::memcpy(memoryAt(kSandbox), harness.data(), harness.size());
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    const auto readOnly = generator.background().last(kPage);
    std::memcpy(memoryAt(slotAddress(slot) + kReadOnlyAt), readOnly.data(), readOnly.size());
  }
  TRY(protectAll());
  TRY(machine->catchSignals());
  return machine;
}

Status NativeMachine::protect(std::uint64_t start, std::uint64_t bytes, int access) {
  if (mprotect(memoryAt(start), bytes, access) != 0) return systemError("protecting the sandbox", errno);
  return {};
}

Status NativeMachine::protectAll() {
  TRY(protect(kSandbox, kSandboxBytes, PROT_NONE));
  for (const Part& part : kFrontParts) TRY(protect(kSandbox + part.offset, part.bytes, accessOf(part.access)));
  for (std::size_t slot = 0; slot < kSlots; ++slot)
    for (const Part& part : kSlotParts)
      TRY(protect(slotAddress(slot) + part.offset, part.bytes, accessOf(part.access)));
  return {};
}

Status NativeMachine::catchSignals() {
  stack_t stack{};
  stack.ss_sp = signalStack_.data();
  stack.ss_size = signalStack_.size();
  if (sigaltstack(&stack, &formerStack_) != 0) return systemError("setting a stack for signals", errno);
  struct sigaction action{};
  action.sa_sigaction = differSignal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (std::size_t i = 0; i < kSignals.size(); ++i)
    if (sigaction(kSignals[i], &action, &former_[i]) != 0) return systemError("catching signals", errno);
  caught_ = true;
  return {};
}

NativeMachine::~NativeMachine() {
  if (caught_) {
    for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &former_[i], nullptr);
    sigaltstack(&formerStack_, nullptr);
  }
  munmap(memoryAt(kSandbox), kSandboxBytes);
}

Status NativeMachine::run(std::span<const Case> cases, std::span<Ending> endings) {
  CHECK(!cases.empty() && cases.size() == endings.size());
  const std::size_t first = cases.front().seed.slot();
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CHECK(cases[i].seed.slot() == first + i);
    writeSlot(cases[i], slotMemory(first + i));
  }
  const Control control{.current = slotAddress(first),
                        .end = slotAddress(first + cases.size()),
                        .exit = nativeExitAddress(),
                        .epilogue = epilogueAddress(),
                        .hasAvx = hostHasAvx() ? 1U : 0U};
  std::memcpy(memoryAt(kControl), &control, sizeof control);
  differEnter();
  for (std::size_t i = 0; i < cases.size(); ++i) readSlot(slotMemory(first + i), outcomeIn(endings[i]));
  return {};
}

}  // namespace

Result<std::unique_ptr<Machine>> openNative(const Generator& generator) {
  return NativeMachine::open(generator);
}

}  // namespace qm::differ

// Called by differSignal. Notes the exception in the case's slot and goes on at the epilogue, with the registers as
// they were. A signal from elsewhere is the default action's, when its instruction runs again.
[[clang::no_sanitize("address", "undefined", "thread")]] void differOnSignal(int number, siginfo_t* /*info*/,
                                                                             void* context) {
  using namespace qm::differ;
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const auto rip = static_cast<std::uint64_t>(registers[REG_RIP]);
  const auto* control = reinterpret_cast<const Control*>(memoryAt(kControl));
  const bool isOfCase =
      control->current >= kFirstSlot && control->current < control->end && (rip < kSandbox || rip >= kFirstSlot);
  if (!isOfCase) {
    signal(number, SIG_DFL);
    return;
  }
  auto* stored = reinterpret_cast<StoredState*>(memoryAt(control->current + DIFFER_OUT));
  stored->vector = static_cast<std::uint64_t>(registers[REG_TRAPNO]);
  stored->errorCode = static_cast<std::uint64_t>(registers[REG_ERR]);
  stored->rip = rip;
  stored->cr2 = stored->vector == kPageFault ? static_cast<std::uint64_t>(registers[REG_CR2]) : 0;
  registers[REG_RIP] = static_cast<greg_t>(epilogueAddress());
}
