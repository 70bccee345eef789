#include "api/daemon/rest/exec_json.h"

#include <string>

#include <fmt/format.h>

#include "api/json/bytes.h"
#include "api/json/fields.h"
#include "vmm/guest/protocol/limits.h"

namespace qm::rest {

namespace {

constexpr std::uint64_t kLongestTimeoutMs = 24ULL * 3600 * 1000;
constexpr std::uint64_t kUsualOutput = 4ULL << 20U;

Status readStdin(Fields& fields, agent::Run& run) {
  const boost::json::value* bytes = fields.find("stdin");
  if (bytes != nullptr) run.stdin = TRY(bytesFromJson(*bytes).during("stdin"));
  return {};
}

Status readEnvironment(Fields& fields, agent::Run& run) {
  const auto variables = TRY(fields.textByName("env"));
  for (const auto& [name, value] : variables) {
    const bool wellFormed =
        !name.empty() && name.find('=') == std::string::npos && name.find('\0') == std::string::npos;
    if (!wellFormed) return Error(Remedy::fixInput, "\"env\" has a name that is empty or holds '=' or NUL");
    run.env.push_back(fmt::format("{}={}", name, value));
  }
  return {};
}

}  // namespace

Result<agent::Run> runFromJson(const boost::json::value& value) {
  Fields fields = TRY(Fields::of(value));
  agent::Run run{.argv = TRY(fields.texts("argv"))};
  if (run.argv.empty() || run.argv.front().empty()) {
    return Error(Remedy::fixInput, "\"argv\" must name a program");
  }
  TRY(readEnvironment(fields, run));
  run.cwd = TRY(fields.text("cwd", ""));
  TRY(readStdin(fields, run));
  run.timeoutMs = static_cast<std::uint32_t>(TRY(fields.number("timeout_ms", {.most = kLongestTimeoutMs}, 0)));
  run.user = TRY(fields.text("user", ""));
  run.outputLimit = TRY(fields.number("output_limit", {.most = agent::kMaxOutputBytes}, kUsualOutput));
  TRY(fields.finish());
  return run;
}

boost::json::object toJson(const agent::Ran& ran) {
  return {{"exit_code", ran.exitCode},
          {"signal", ran.signal},
          {"stdout", bytesToJson(ran.out)},
          {"stderr", bytesToJson(ran.err)},
          {"timed_out", ran.timedOut},
          {"stdout_truncated", ran.outTruncated},
          {"stderr_truncated", ran.errTruncated},
          {"duration_us", ran.durationUs}};
}

}  // namespace qm::rest
