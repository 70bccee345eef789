#include "vmm/spawner/jail_users.h"

#include <string>

#include "vmm/result/check.h"

namespace qm::spawner {

Result<uid_t> JailUsers::free() const {
  uid_t user = first_;
  for (const uid_t held : held_) {
    if (held != user) break;
    ++user;
  }
  if (user - first_ < count_) return user;
  return Error(Remedy::retry, "all " + std::to_string(count_) + " users for jailed processes are taken");
}

void JailUsers::hold(pid_t process, uid_t user) {
  CHECK(held_.insert(user).second);
  CHECK(byProcess_.emplace(process, user).second);
}

void JailUsers::release(pid_t process) {
  const auto found = byProcess_.find(process);
  if (found == byProcess_.end()) return;
  held_.erase(found->second);
  byProcess_.erase(found);
}

}  // namespace qm::spawner
