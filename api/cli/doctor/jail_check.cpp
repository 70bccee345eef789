#include "api/cli/doctor/jail_check.h"

namespace qm::cli {

std::vector<Finding> checkJail(const JailSupport& support) {
  std::vector<Finding> findings;
  for (const JailPart& part : support.parts) {
    if (part.works) continue;
    findings.push_back({.what = "jail: " + part.name,
                        .state = Finding::State::limited,
                        .found = "does not work",
                        .remedy = part.remedy + " Without it quickmatchd starts with --jail none only."});
  }
  if (!findings.empty()) return findings;
  const bool isFull = support.privilege == Privilege::full;
  return {{.what = "jail", .found = isFull ? "complete" : "complete, inside a user namespace"}};
}

}  // namespace qm::cli
