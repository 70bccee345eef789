#include "vmm/seccomp/thread_filter.h"

#include <sys/prctl.h>

#include <cerrno>
#include <string>

#include "vmm/seccomp/compiled.h"
#include "vmm/seccomp/install.h"

namespace qm::seccomp {

bool isBuiltWithSanitizer() {
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
  return true;
#else
  return false;
#endif
}

Level defaultLevel() {
  return isBuiltWithSanitizer() ? Level::off : Level::arguments;
}

Result<Level> levelNamed(std::string_view word) {
  if (word == "0") return Level::off;
  if (word != "1" && word != "2")
    return Error(Remedy::fixInput, "there is no seccomp level \"" + std::string(word) + "\"; there are 0, 1 and 2");
  if (isBuiltWithSanitizer()) {
    return Error(Remedy::fixInput,
                 "this build has a sanitizer, whose own system calls no filter allows: it has seccomp "
                 "level 0 only");
  }
  return word == "1" ? Level::calls : Level::arguments;
}

Status restrictThread(ThreadRole role, Level level) {
  if (level == Level::off) return {};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return systemError("PR_SET_NO_NEW_PRIVS", errno);
  return install(compiledFilter(role, level)).during("restricting the " + std::string(nameOf(role)) + " thread");
}

}  // namespace qm::seccomp
