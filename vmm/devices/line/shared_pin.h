// One interrupt pin that several level-triggered devices share: raised while any of them holds it (wired OR). This is
// what lifts Firecracker's limit of one device for each pin.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

#include "vmm/devices/line/interrupt_line.h"

namespace qm {

class SharedPin {
 public:
  // `drive` sets the pin; called under the pin's lock, only when the OR changes, from whichever thread changed it.
  explicit SharedPin(std::function<void(bool raised)> drive) : drive_(std::move(drive)) {}
  SharedPin(const SharedPin&) = delete;
  SharedPin& operator=(const SharedPin&) = delete;

  // One device's wire to the pin. The pin outlives its wires; a wire that goes away lets go first.
  std::unique_ptr<LevelLine> addWire();
  // The wire of a device that held the pin when its machine was saved, where the pin is edge-triggered: the edge was
  // seen then and is in the saved state of the interrupt controllers, so `drive` is not called for it once more.
  std::unique_ptr<LevelLine> addRaisedWire();

 private:
  class Wire;
  void change(int by);

  std::function<void(bool)> drive_;
  std::mutex mutex_;  // protects holders_, orders drive_; taken last, held for no other lock
  int holders_ = 0;
};

}  // namespace qm
