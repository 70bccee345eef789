#include "vmm/devices/line/shared_pin.h"

#include "vmm/result/check.h"

namespace qm {

class SharedPin::Wire final : public LevelLine {
 public:
  Wire(SharedPin& pin, bool raised) : pin_(pin), raised_(raised) {}
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  ~Wire() override { set(false); }  // NOLINT(clang-analyzer-optin.cplusplus.VirtualCall): final

  void set(bool raised) final {
    const std::lock_guard lock(mutex_);
    if (raised == raised_) return;
    raised_ = raised;
    pin_.change(raised ? 1 : -1);
  }

 private:
  SharedPin& pin_;
  std::mutex mutex_;  // protects raised_; taken before the pin's
  bool raised_;
};

std::unique_ptr<LevelLine> SharedPin::addWire() {
  return std::make_unique<Wire>(*this, false);
}

std::unique_ptr<LevelLine> SharedPin::addRaisedWire() {
  const std::lock_guard lock(mutex_);
  ++holders_;
  return std::make_unique<Wire>(*this, true);
}

void SharedPin::change(int by) {
  const std::lock_guard lock(mutex_);
  const bool before = holders_ > 0;
  holders_ += by;
  CHECK(holders_ >= 0);
  const bool after = holders_ > 0;
  if (before != after) drive_(after);
}

}  // namespace qm
