// What a vCPU asks at the end of every block: one atomic word that says whether a look at the interrupt fabric is worth
// its lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

namespace qm::soft {

// Written by the fabric under its lock, read by anybody without it. A reader that sees an old value is told of the
// new one by CpuWires::onWork. A line of its own in the cache: no vCPU pays for what is written for another.
class alignas(64) WorkHint {
 public:
  // Whether InterruptFabric::work() could answer anything at this moment of the vCPU's own TSC.
  bool mayHaveWork(std::uint64_t tsc) const noexcept {
    return tsc >= interruptAt_.load(std::memory_order_acquire) || mayHaveUnmaskableWork();
  }
  // The same for a vCPU whose RFLAGS.IF is 0: NMI, INIT and SIPI alone.
  bool mayHaveUnmaskableWork() const noexcept { return unmaskable_.load(std::memory_order_acquire); }

  static constexpr std::uint64_t kNow = 0, kNever = std::numeric_limits<std::uint64_t>::max();

  void setInterruptAt(std::uint64_t tsc) noexcept { interruptAt_.store(tsc, std::memory_order_release); }
  void setUnmaskable(bool pending) noexcept { unmaskable_.store(pending, std::memory_order_release); }

 private:
  std::atomic<std::uint64_t> interruptAt_{kNever};  // kNow: a vector is deliverable; else when the timer runs out
  std::atomic<bool> unmaskable_{false};
};

}  // namespace qm::soft
