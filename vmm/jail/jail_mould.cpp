#include "vmm/jail/jail_mould.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <utility>

#include "vmm/jail/jail_root.h"
#include "vmm/os/copy.h"
#include "vmm/os/message_socket.h"
#include "vmm/os/namespaces.h"
#include "vmm/os/program.h"

namespace qm {

namespace {

// As for a jail: more is a host path on something that hangs.
constexpr std::chrono::seconds kLimit{5};

}  // namespace

// Without asking a file system that is far away: this runs for each jail.
std::vector<JailMould::Identity> JailMould::identitiesOf(const JailPlan& plan) {
  std::vector<Identity> identities;
  for (const ReadOnlyBind& bind : plan.readOnly) {
    struct statx facts{};
    const bool isThere = ::statx(AT_FDCWD, bind.host.c_str(), AT_STATX_DONT_SYNC, STATX_INO, &facts) == 0;
    identities.push_back(
        isThere ? Identity{.device = ::makedev(facts.stx_dev_major, facts.stx_dev_minor), .number = facts.stx_ino}
                : Identity{});
  }
  return identities;
}

// The namespace comes home by a socket from the copy that made it, which then ends.
Result<JailMould> JailMould::cast(const JailPolicy& policy, const JailPlan& plan, const JailMaker& maker) {
  // Before: a path that changes meanwhile is found changed the next time.
  std::vector<Identity> identities = identitiesOf(plan);
  auto [ours, theirs] = TRY(messageSocketPair());
  const std::array namespaces{Namespace::mount};
  const CopiedWork work = [&, &sender = theirs](FileDescriptor&) -> Status {
    TRY(beginAfresh());
    const FileDescriptor own = TRY(openOwn(Namespace::mount));
    TRY(castJailRoot(policy, plan, maker));
    const std::byte word{1};
    const int descriptor = own.get();
    return sendMessage(sender, std::span(&word, 1), std::span(&descriptor, 1));
  };
  const Process process = TRY(runInCopy(namespaces, work, kLimit));
  (void)process.reap();
  Message message = TRY(receiveMessage(ours));
  if (message.descriptors.size() != 1) return Error(Remedy::giveUp, "a jail's mould did not come home");
  return JailMould(std::move(message.descriptors.front()), plan, std::move(identities));
}

bool JailMould::fits(const JailPlan& plan) const {
  return plan.readOnly == plan_.readOnly && plan.devices == plan_.devices && identitiesOf(plan) == identities_;
}

}  // namespace qm
