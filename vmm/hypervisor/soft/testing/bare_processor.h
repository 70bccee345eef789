// One processor with a MiB of memory and nothing else, for tests of its instructions: 64-bit mode, ring 0, pages of 4
// KiB mapped one to one. There is no run loop, so tests see each stop.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>

#include "vmm/hypervisor/soft/blocks/block_cache.h"
#include "vmm/hypervisor/soft/chips/interrupt_fabric.h"
#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/soft/memory/code_watch.h"
#include "vmm/hypervisor/soft/memory/physical_memory.h"
#include "vmm/hypervisor/soft/memory/world.h"
#include "vmm/hypervisor/soft/time/guest_clock.h"
#include "vmm/os/mapping.h"

namespace qm::soft {

class BareProcessor {
 public:
  static constexpr std::uint64_t kBytes = 1 << 20, kCode = 0x1'0000, kData = 0x2'0000;

  explicit BareProcessor(SoftClock clock = SoftClock::host);
  BareProcessor(const BareProcessor&) = delete;
  BareProcessor& operator=(const BareProcessor&) = delete;
  ~BareProcessor();

  Cpu& cpu() { return *cpu_; }
  std::uint64_t& gpr(unsigned number) { return cpu_->gpr[number]; }
  // RFLAGS as the guest would push them.
  std::uint64_t rflags() const { return wholeRflags(*cpu_, cpu_->flags); }
  std::span<std::byte> memory(std::uint64_t address, std::size_t bytes);
  template <class T>
  T read(std::uint64_t address) {
    T value;
    __builtin_memcpy(&value, memory(address, sizeof value).data(), sizeof value);
    return value;
  }
  template <class T>
  void write(std::uint64_t address, T value) {
    __builtin_memcpy(memory(address, sizeof value).data(), &value, sizeof value);
  }

  // What a page's entry allows.
  enum class Page : std::uint8_t { absent, readOnly, writable };
  void setPage(std::uint64_t address, Page page);

  // Puts code somewhere, with UD2 behind it, and rip there.
  void setCode(std::initializer_list<unsigned> bytes, std::uint64_t at = kCode);
  // Until something stops: the code's end is #UD at end(). An instruction that wants to be alone is run so.
  Stop run();
  // One instruction by itself.
  Stop step();
  std::uint64_t end() const { return end_; }
  bool hasFinished() const { return cpu_->stop == Stop::exception && cpu_->rip == end_; }
  // setCode() and run(); whether it has come to the end.
  bool finishes(std::initializer_list<unsigned> bytes);

 private:
  Mapping ram_;
  PhysicalMemory memory_;
  World world_;
  CodeWatch code_;
  InterruptFabric chips_;
  GuestClock clock_;
  std::unique_ptr<BlockCache> blocks_;
  std::unique_ptr<Cpu> cpu_;
  std::uint64_t end_ = kCode;
};

}  // namespace qm::soft
