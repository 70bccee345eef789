// quickmatch-spawner: the only privileged process. Started with a socket as descriptor 3; serves until it is closed.
#include <getopt.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string_view>

#include "vmm/spawner/spawner.h"
#include "vmm/spawner/spawner_socket.h"
#include "vmm/text/number.h"

namespace {

using namespace qm;

constexpr const char* kUsage =
    "usage: quickmatch-spawner [--isolation jailed|bare] [--uid N] [--gid N] [--uids N]\n"
    "                          [--cgroups required|where-possible|off]\n"
    "  Starts microVM processes in jails, for the daemon at the other end of descriptor 3.\n"
    "  --isolation  jailed (default), or bare: no namespaces, no root of its own\n"
    "  --uid, --gid who a jailed process is (default 64000), not 0: of uids the first\n"
    "  --uids       how many uids there are, one for each jail (default 1500)\n"
    "  --cgroups    the control group that each gets: where-possible (default), by the controllers that this host "
    "has;\n"
    "               required: not started where one is missing; off: none\n";

// 0: not a number that a jail's user can have.
std::uint32_t identityOf(std::string_view text) {
  const std::uint32_t number = numberFrom<std::uint32_t>(text).value_or(0);
  // The last one means "leave it as it is" to chown and setresuid.
  return number == static_cast<uid_t>(-1) ? 0 : number;
}

bool isSet(CgroupUse& use, std::string_view value) {
  if (value == "required") {
    use = CgroupUse::required;
  } else if (value == "where-possible") {
    use = CgroupUse::wherePossible;
  } else if (value == "off") {
    use = CgroupUse::off;
  } else {
    return false;
  }
  return true;
}

bool isSet(JailPolicy& policy, int name, std::string_view value) {
  switch (name) {
    case 'i':
      if (value != "jailed" && value != "bare") return false;
      policy.isolation = value == "bare" ? Isolation::bare : Isolation::jailed;
      return true;
    case 'u':
      policy.uid = identityOf(value);
      return policy.uid != 0;
    case 'g':
      policy.gid = identityOf(value);
      return policy.gid != 0;
    case 'n':
      policy.uids = identityOf(value);
      return policy.uids != 0;
    case 'c':
      return isSet(policy.cgroups, value);
    default:
      return false;
  }
}

// Of the last user there is, too, the number means a user.
bool isSound(const JailPolicy& policy) {
  return policy.uids < static_cast<uid_t>(-1) - policy.uid;
}

}  // namespace

int main(int argc, char** argv) {
  const option options[] = {{"isolation", required_argument, nullptr, 'i'}, {"uid", required_argument, nullptr, 'u'},
                            {"gid", required_argument, nullptr, 'g'},       {"uids", required_argument, nullptr, 'n'},
                            {"cgroups", required_argument, nullptr, 'c'},   {nullptr, 0, nullptr, 0}};
  JailPolicy policy;
  for (int name = 0; (name = ::getopt_long(argc, argv, "", options, nullptr)) != -1;) {
    if (!isSet(policy, name, optarg == nullptr ? "" : optarg)) {
      (void)std::fputs(kUsage, stderr);
      return 2;
    }
  }
  if (!isSound(policy)) {
    (void)std::fputs(kUsage, stderr);
    return 2;
  }
  const Status served = spawner::serve(FileDescriptor(spawner::kSocketNumber), policy);
  if (served.has_value()) return 0;
  (void)std::fprintf(stderr, "quickmatch-spawner: %s\n", served.error().text().c_str());
  return 1;
}
