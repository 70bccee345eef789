// Which user each jailed process is: no two that live are the same one, so that neither files nor signals nor limits by
// user reach from one to another. A process holds its user until its end was taken.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <set>

#include "vmm/result/result.h"

namespace qm::spawner {

class JailUsers {
 public:
  // The `count` users from `first` on.
  JailUsers(uid_t first, std::uint32_t count) : first_(first), count_(count) {}

  // The lowest that is free; retry: none is.
  Result<uid_t> free() const;
  void hold(pid_t process, uid_t user);
  void release(pid_t process);

 private:
  uid_t first_;
  std::uint32_t count_;
  std::map<pid_t, uid_t> byProcess_;
  std::set<uid_t> held_;
};

}  // namespace qm::spawner
