// What the command line said, as values; and what each command has to work with.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "api/cli/daemon_api.h"
#include "api/cli/table.h"

namespace qm::cli {

enum class Format : std::uint8_t { table, json };

// Exit codes of the program itself; a command that ran in a guest gives its own.
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kMistyped = 2;
// `run` and `exec` could not run the command at all: what it would have said is unknown (as `docker run` has it).
inline constexpr int kNotRun = 125;

struct AcquireOptions {
  std::string templateName;
  std::uint64_t ttlSeconds = 60;
  std::uint64_t waitMs = 0;
  std::string road;  // empty: whichever is there
};

struct ExecOptions {
  std::vector<std::string> argv;
  std::vector<std::string> environment;  // NAME=VALUE
  std::string folder;
  std::string user;
  std::uint64_t timeoutMs = 0;
};

// Shows `document`, or the table made of it. Ends with what the program exits with.
int show(Format format, const boost::json::value& document, const std::vector<Row>& rows);
// Says on standard error what went wrong.
int fail(const Error& error, int exitCode = kFailed);

boost::json::object acquireBody(const AcquireOptions& options);

// The functions below are the commands; each answers the program's exit code.
int acquire(DaemonApi& api, Format format, const AcquireOptions& options);
int ping(DaemonApi& api, Format format, const std::string& lease);
int renew(DaemonApi& api, Format format, const std::string& lease, std::uint64_t ttlSeconds);
int release(DaemonApi& api, const std::string& lease);
// `ports`: LOCAL:PORT. Until it is interrupted.
int forward(DaemonApi& api, const std::string& lease, const std::string& ports);
int listLeases(DaemonApi& api, Format format);

int exec(DaemonApi& api, Format format, const std::string& lease, const ExecOptions& options);
enum class Verbosity : std::uint8_t { quiet, verbose };
int run(DaemonApi& api, const AcquireOptions& lease, const ExecOptions& options, Verbosity verbosity);

int listTemplates(DaemonApi& api, Format format);
int putTemplate(DaemonApi& api, Format format, const std::string& name, const std::string& file);
// Waits until the snapshot is made, telling each step.
int buildTemplate(DaemonApi& api, Format format, const std::string& name);
int removeTemplate(DaemonApi& api, const std::string& name);

int listPools(DaemonApi& api, Format format);

// A daemon's board, which is read without asking it; live until q or a signal. Fails, too, where it was told once that
// the daemon is dead or stuck. JSON comes once.
enum class Showing : std::uint8_t { live, once };
int top(const std::filesystem::path& board, Format format, Showing showing);

int doctor(DaemonApi& api, Format format);

}  // namespace qm::cli
