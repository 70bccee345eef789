// Where on this host a process can make control groups: beside each other, in its own group of each hierarchy, so that
// whatever bounds the maker bounds them too. Beside and not below a group of all: a group's weight among its siblings
// is then that of one VM, and all VMs together are not taken for one.
//
// Version 2 lets a group that passes controllers on have no processes but the root, so where the own group has some
// (our own at least) the group above is taken, if that one is a service's and was given away with it (systemd's
// DelegateSubgroup=).
//
// Groups are named quickmatch-PID-NUMBER; quickmatch-PID, in which nobody is, is locked as long as their maker lives.
// By that a later maker finds those of one that is gone, and removes them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "vmm/cgroup/controllers.h"
#include "vmm/cgroup/hierarchies.h"
#include "vmm/os/file_descriptor.h"

namespace qm {

class CgroupGround {
 public:
  // Of one hierarchy.
  struct Place {
    CgroupVersion version = CgroupVersion::v1;
    std::filesystem::path above;          // groups are made in it
    std::vector<Controller> controllers;  // that hold there
    std::filesystem::path lockFolder;
    FileDescriptor lock;
  };
  struct Lack {
    Controller controller = Controller::memory;
    std::string sentence;  // what the kernel said, and what the administrator can do
  };

  // No place: where nothing is to be had.
  CgroupGround() = default;
  // Tried for real. Removes what makers that are gone have left.
  static CgroupGround find();
  // The same on these hierarchies.
  static CgroupGround on(const std::vector<Hierarchy>& hierarchies);
  CgroupGround(CgroupGround&&) noexcept = default;
  CgroupGround& operator=(CgroupGround&&) = delete;
  // Groups that are still there stay, and are found by the next maker.
  ~CgroupGround();

  const std::vector<Place>& places() const { return places_; }
  const std::vector<Lack>& lacks() const { return lacks_; }
  std::vector<Controller> controllers() const;
  // "quickmatch-71-3"
  static std::string nameOf(std::uint32_t number);

 private:
  std::vector<Place> places_;
  std::vector<Lack> lacks_;
};

}  // namespace qm
