// Interrupt lines as a device sees them. Level is not edge: two types.
#pragma once

namespace qm {

// Stays as set until set otherwise; setting the same level twice is free. Any thread.
class LevelLine {
 public:
  virtual ~LevelLine() = default;
  virtual void set(bool raised) = 0;
};

// A moment, nothing to remember. Any thread.
class EdgeLine {
 public:
  virtual ~EdgeLine() = default;
  virtual void pulse() = 0;
};

}  // namespace qm
