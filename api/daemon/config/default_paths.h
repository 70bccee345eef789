// Where the daemon keeps its state and where its clients find it, unless told otherwise. Values of the environment come
// in as arguments, so that the rule can be tested.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace qm {

// A variable of the environment; empty when it is not set.
using Environment = std::function<std::string(const char*)>;
Environment processEnvironment();

// XDG Base Directory Specification: $XDG_STATE_HOME/quickmatch, else ~/.local/state/quickmatch; without a home
// /var/lib/quickmatch.
std::filesystem::path defaultStateFolder(const Environment& environment);
// In the state folder, where only its owner gets.
std::filesystem::path apiSocketIn(const std::filesystem::path& stateFolder);
// What a client uses: $QUICKMATCH_SOCKET, else the default state folder's.
std::filesystem::path defaultApiSocket(const Environment& environment);

}  // namespace qm
