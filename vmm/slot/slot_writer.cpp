#include "vmm/slot/slot_writer.h"

#include <sys/resource.h>

#include <chrono>
#include <string>

#include "vmm/result/check.h"

namespace qm::slot {

namespace {

std::uint64_t nowNs() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

std::uint64_t nanoseconds(const timeval& time) {
  constexpr std::uint64_t kSecond = 1'000'000'000, kMicrosecond = 1'000;
  return static_cast<std::uint64_t>(time.tv_sec) * kSecond + static_cast<std::uint64_t>(time.tv_usec) * kMicrosecond;
}

// By the cell's one writer: no read-modify-write of the processor's is needed.
void add(Cell& cell, std::uint64_t more) {
  cell.store(cell.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

}  // namespace

Result<Writer> Writer::open(FileDescriptor page) {
  if (TRY(fileBytes(page)) != kPageBytes) return Error(Remedy::fixInput, "the descriptor of --slot is no slot page");
  Writer writer(TRY(Mapping::ofFile(page, 0, kPageBytes, Sharing::shared, Access::readWrite)));
  const MakersPart<Cell>& maker = writer.page().maker;
  if (maker.magic.load() != kMagic) return Error(Remedy::fixInput, "the descriptor of --slot is no slot page");
  if (maker.version.load() != kVersion) {
    return Error(Remedy::fixInput, "the slot page has version " + std::to_string(maker.version.load()) + ", not " +
                                       std::to_string(kVersion) + "; use programs of one build");
  }
  return writer;
}

State Writer::state() const {
  const auto state = stateNumbered(page().loop.state.load(std::memory_order_relaxed) & 0xff);
  CHECK(state.has_value());
  return *state;
}

void Writer::move(State to) {
  const State from = state();
  if (from == to) return;
  CHECK(mayMove(from, to));
  const std::uint64_t guests = page().loop.state.load(std::memory_order_relaxed) >> kGuestShift;
  // Whoever sees the state sees all that was written before it.
  page().loop.state.store(stateWord(to, to == State::loading ? guests + 1 : guests), std::memory_order_release);
}

void Writer::mark(Moment moment) {
  rusage used{};
  CHECK(::getrusage(RUSAGE_SELF, &used) == 0);
  Mark<Cell>& mark = page().loop.marks[static_cast<std::size_t>(moment)];
  mark.cpuNs.store(nanoseconds(used.ru_utime) + nanoseconds(used.ru_stime), std::memory_order_relaxed);
  mark.faults.store(static_cast<std::uint64_t>(used.ru_minflt + used.ru_majflt), std::memory_order_relaxed);
  mark.at.store(nowNs(), std::memory_order_release);
}

void Writer::populated(std::uint64_t pages) {
  page().loop.populated.store(pages, std::memory_order_relaxed);
}

void Writer::beatBegins() {
  page().loop.busySince.store(nowNs(), std::memory_order_relaxed);
}

void Writer::beatEnds() {
  add(page().loop.heartbeats, 1);
  page().loop.busySince.store(0, std::memory_order_relaxed);
}

void Writer::counted(std::size_t vcpu, std::uint64_t instructions, std::uint64_t decoded) {
  CHECK(vcpu < kVcpus);
  VcpusPart<Cell>& cells = page().vcpus[vcpu];
  Told& told = (*told_)[vcpu];
  if (instructions < told.instructions || decoded < told.decoded) told = {};  // another vCPU
  add(cells.instructions, instructions - told.instructions);
  add(cells.decoded, decoded - told.decoded);
  told = {.instructions = instructions, .decoded = decoded};
}

void Writer::exited(std::size_t vcpu, ExitKind kind) {
  CHECK(vcpu < kVcpus);
  add(page().vcpus[vcpu].exits[static_cast<std::size_t>(kind)], 1);
}

}  // namespace qm::slot
