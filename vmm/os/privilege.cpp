#include "vmm/os/privilege.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <span>
#include <string>

#include "vmm/result/check.h"

namespace qm {

namespace {

// Version 3 has two words of 32 capabilities each (capget(2)).
using CapabilityWords = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

__user_cap_header_struct ownHeader() {
  return {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
}

bool isEffective(const CapabilityWords& words, unsigned int capability) {
  return (words.at(capability / 32).effective >> (capability % 32) & 1U) != 0;
}

}  // namespace

Privilege ownPrivilege() {
  __user_cap_header_struct header = ownHeader();
  CapabilityWords words{};
  CHECK(::syscall(SYS_capget, &header, words.data()) == 0);
  for (const int needed : {CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID, CAP_CHOWN}) {
    if (!isEffective(words, static_cast<unsigned int>(needed))) return Privilege::none;
  }
  return Privilege::full;
}

Status emptyBoundingSet() {
  // The kernel says EINVAL at the first number that it does not know.
  for (unsigned long capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) continue;
    // Who lacks CAP_SETPCAP keeps the set; no_new_privs makes it unreachable.
    if (errno == EPERM) return {};
    return systemError("PR_CAPBSET_DROP", errno);
  }
  return {};
}

Status becomeUser(uid_t uid, gid_t gid) {
  if (::setgroups(0, nullptr) < 0) return systemError("setgroups", errno);
  if (::setresgid(gid, gid, gid) < 0) return systemError("setresgid " + std::to_string(gid), errno);
  if (::setresuid(uid, uid, uid) < 0) return systemError("setresuid " + std::to_string(uid), errno);
  return {};
}

// setfsuid reports no failure; asking for an impossible id answers the id that is in force.
LookupAs::LookupAs(uid_t uid, gid_t gid) : uid_(::geteuid()), gid_(::getegid()) {
  constexpr auto kAsk = static_cast<unsigned int>(-1);
  ::setfsgid(gid);
  ::setfsuid(uid);
  CHECK(static_cast<uid_t>(::setfsuid(kAsk)) == uid && static_cast<gid_t>(::setfsgid(kAsk)) == gid);
}

LookupAs::~LookupAs() {
  ::setfsuid(uid_);
  ::setfsgid(gid_);
}

Status surrenderPrivileges() {
  TRY(emptyBoundingSet());
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) return systemError("PR_CAP_AMBIENT", errno);
  __user_cap_header_struct header = ownHeader();
  const CapabilityWords none{};
  if (::syscall(SYS_capset, &header, none.data()) < 0) return systemError("capset", errno);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return systemError("PR_SET_NO_NEW_PRIVS", errno);
  return {};
}

Status hideFromOthers() {
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return systemError("PR_SET_DUMPABLE", errno);
  return {};
}

}  // namespace qm
