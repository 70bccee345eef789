// A line that remembers every level it was set to: for device tests.
#pragma once

#include <vector>

#include "vmm/devices/line/interrupt_line.h"

namespace qm {

class FakeLevelLine final : public LevelLine {
 public:
  void set(bool raised) override {
    if (history.empty() || history.back() != raised) history.push_back(raised);
  }
  bool isRaised() const { return !history.empty() && history.back(); }

  std::vector<bool> history;  // changes only
};

class FakeEdgeLine final : public EdgeLine {
 public:
  void pulse() override { ++pulses; }

  int pulses = 0;
};

}  // namespace qm
