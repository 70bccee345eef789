#include "vmm/hypervisor/soft/testing/bare_processor.h"

#include <algorithm>

#include "vmm/hypervisor/soft/cpu/handler.h"
#include "vmm/hypervisor/soft/memory/tlb_flush.h"
#include "vmm/result/check.h"

namespace qm::soft {

namespace {

constexpr std::uint32_t kTscKhz = 1'000'000;
// The tables, a page each, at the bottom of memory (SDM 3A, 4.5).
constexpr std::uint64_t kRoot = 0x1000, kDirectoryPointers = 0x2000, kDirectory = 0x3000, kTable = 0x4000;
constexpr std::uint64_t kPresent = 1, kWritable = 2;

void enterLongMode(Cpu& cpu) {
  SystemState& system = cpu.system;
  system.cr0 = cr0::kPe | cr0::kEt | cr0::kNe | cr0::kWp | cr0::kPg;
  system.cr3 = kRoot;
  system.cr4 = cr4::kPae | cr4::kOsfxsr | cr4::kOsxmmexcpt;
  system.efer = efer::kLme | efer::kLma | efer::kNxe;
  Segment& cs = system.segments[static_cast<std::size_t>(SegmentName::cs)];
  cs = {.limit = 0xffff'ffff, .selector = 8, .type = 0xb, .s = true, .present = true, .l = true, .g = true};
  modeChanged(cpu);
}

template <class T>
T unwrap(Result<T> result) {
  CHECK(result.has_value());
  return *std::move(result);
}

}  // namespace

BareProcessor::BareProcessor(SoftClock clock)
    : ram_(unwrap(Mapping::anonymous(kBytes))),
      code_(memory_, world_),
      chips_(PitModel::absent, kTscKhz),
      clock_(clock, HostCounter{.khz = kTscKhz}),
      blocks_(unwrap(BlockCache::create(nullptr))) {
  memory_.set({.host = ram_.bytes()});
  cpu_ = std::make_unique<Cpu>(
      Surroundings{.memory = memory_, .world = world_, .code = code_, .chips = chips_, .clock = clock_, .index = 0});
  cpu_->blocks = blocks_.get();
  code_.add({.forgetCode = [this](std::uint64_t page) { blocks_->forgetPage(page); },
             .forgetWrites =
                 [this](const std::byte* page) {
                   for (Tlb& tlb : cpu_->tlbs) tlb.forgetWritesTo(reinterpret_cast<std::uintptr_t>(page));
                 }});
  chips_.addCpu(0, {.onWork = [] {}});
  write<std::uint64_t>(kRoot, kDirectoryPointers | kPresent | kWritable);
  write<std::uint64_t>(kDirectoryPointers, kDirectory | kPresent | kWritable);
  write<std::uint64_t>(kDirectory, kTable | kPresent | kWritable);
  for (std::uint64_t page = 0; page < kBytes; page += kPageBytes) setPage(page, Page::writable);
  enterLongMode(*cpu_);
  world_.enter();
}

BareProcessor::~BareProcessor() {
  world_.leave();
}

std::span<std::byte> BareProcessor::memory(std::uint64_t address, std::size_t bytes) {
  return ram_.bytes().subspan(address, bytes);
}

void BareProcessor::setPage(std::uint64_t address, Page page) {
  const std::uint64_t rights = page == Page::absent ? 0 : page == Page::readOnly ? kPresent : kPresent | kWritable;
  write<std::uint64_t>(kTable + address / kPageBytes * 8, (address & kPageMask) | rights);
  flushPage(*cpu_, address);
}

void BareProcessor::setCode(std::initializer_list<unsigned> bytes, std::uint64_t at) {
  std::ranges::transform(bytes, memory(at, bytes.size()).begin(),
                         [](unsigned byte) { return static_cast<std::byte>(byte); });
  end_ = at + bytes.size();
  write<std::uint16_t>(end_, 0x0b0f);
  code_.written(World::Caller::running, at, bytes.size() + 2);
  cpu_->rip = at;
}

Stop BareProcessor::step() {
  cpu_->stepping = true;
  cpu_->devices.next = 0;
  cpu_->budget = 0;
  cpu_->stop = Stop::none;
  if (const Operation* instruction = blocks_->single(*cpu_)) execute(*cpu_, instruction);
  cpu_->stepping = false;
  return cpu_->stop;
}

Stop BareProcessor::run() {
  for (;;) {
    cpu_->budget = 1000;
    cpu_->stop = Stop::none;
    if (const Operation* block = blocks_->find(*cpu_)) execute(*cpu_, block);
    if (cpu_->stop != Stop::alone) return cpu_->stop;
    if (step() != Stop::attention) return cpu_->stop;
  }
}

bool BareProcessor::finishes(std::initializer_list<unsigned> bytes) {
  setCode(bytes);
  run();
  return hasFinished();
}

}  // namespace qm::soft
