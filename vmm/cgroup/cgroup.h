// One control group, in as many hierarchies as its controllers are in.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "vmm/cgroup/cgroup_limits.h"
#include "vmm/cgroup/controllers.h"
#include "vmm/cgroup/ground.h"
#include "vmm/cgroup/memory_shortage.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

// Move-only. Holds no file open: a spawner has a thousand.
class Cgroup {
 public:
  // Number `number` of this process; it was never used before, or was removed.
  static Result<Cgroup> make(const CgroupGround& ground, std::uint32_t number);
  Cgroup(Cgroup&&) noexcept = default;
  Cgroup& operator=(Cgroup&&) noexcept;
  // Removes it; one with processes stays.
  ~Cgroup() { remove(); }

  // Writes what differs from what it was told last. retry: the kernel refuses, since more is in use than that.
  Status limit(const CgroupLimits& limits);
  // What cloneProcess puts a copy in (version 2); not open where there is no such hierarchy.
  Result<FileDescriptor> openForClone() const;
  // Moves this process, which has one thread, to where openForClone could not put it (version 1).
  Status enter() const;
  // What it is charged for; 0 where memory is not counted.
  Result<std::uint64_t> chargedBytes() const;
  // Why a process was killed in it, ever; none also where memory is not counted. In version 1 it may be told as the
  // group's own what was the host's, if the group was at its limit at some other time.
  Result<MemoryShortage> memoryShortage() const;

 private:
  struct Part {
    CgroupVersion version = CgroupVersion::v1;
    std::filesystem::path folder;
    std::vector<Controller> controllers;
  };
  Cgroup() = default;
  void remove();
  const Part* withMemory() const;  // null: memory is not counted

  std::vector<Part> parts_;
  std::optional<CgroupLimits> told_ = CgroupLimits{};  // none: not known, since the kernel refused some of it
};

}  // namespace qm
