// Control groups that are used again: to make and to remove one costs more than all else about it, and one that was
// removed lives on in the kernel until the last page it was charged for is gone.
//
// Who pays. The kernel charges a page to the group of whoever touched it first. A template's memory and prepared code
// are written, and so paid for, by the daemon; a VM pays for what it writes, its page tables, its sockets, its files. A
// group whose user left pages behind (a file that somebody keeps) is not used again: they would be the next one's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vmm/cgroup/cgroup.h"
#include "vmm/cgroup/cgroup_limits.h"
#include "vmm/cgroup/ground.h"
#include "vmm/result/result.h"

namespace qm {

enum class CgroupUse : std::uint8_t {
  required,       // a host that lacks a controller refuses
  wherePossible,  // by the controllers there are
  off,
};

class CgroupStock {
 public:
  // Only with `required` an error, which names every lack.
  static Result<CgroupStock> create(CgroupUse use);

  bool isEmpty() const { return ground_.controllers().empty(); }
  // Names, in a row: "memory pids cpu".
  std::string controllers() const;
  // Sentences; empty when nothing is missing, or nothing was asked for.
  std::string lacks() const;

  // One with these limits in which nobody is. Not when isEmpty().
  Result<Cgroup> take(const CgroupLimits& limits);
  // Nobody is in it any more. Answers what a process was killed for in it, since it was taken.
  MemoryShortage giveBack(Cgroup group);

 private:
  explicit CgroupStock(CgroupGround ground) : ground_(std::move(ground)) {}

  CgroupGround ground_;  // before the groups: removed after them
  std::vector<Cgroup> free_;
  std::uint32_t made_ = 0;
};

}  // namespace qm
