#include "api/daemon/config/default_paths.h"

#include <cstdlib>

namespace qm {

Environment processEnvironment() {
  return [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
}

std::filesystem::path defaultStateFolder(const Environment& environment) {
  // The specification has relative values ignored.
  const std::filesystem::path state = environment("XDG_STATE_HOME");
  if (state.is_absolute()) return state / "quickmatch";
  const std::filesystem::path home = environment("HOME");
  if (home.is_absolute()) return home / ".local/state/quickmatch";
  return "/var/lib/quickmatch";
}

std::filesystem::path apiSocketIn(const std::filesystem::path& stateFolder) {
  return stateFolder / "api.sock";
}

std::filesystem::path defaultApiSocket(const Environment& environment) {
  const std::string named = environment("QUICKMATCH_SOCKET");
  if (!named.empty()) return named;
  return apiSocketIn(defaultStateFolder(environment));
}

}  // namespace qm
