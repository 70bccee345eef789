#include "vmm/log/log.h"

#include <algorithm>
#include <array>
#include <utility>

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace qm {

struct Log::Sink {
  spdlog::logger logger;
};

namespace {

spdlog::level::level_enum levelOf(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::off:
      return spdlog::level::off;
  }
  std::unreachable();
}

bool needsQuotes(std::string_view value) {
  return value.empty() ||
         std::ranges::any_of(value, [](char c) { return c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f; });
}

void appendQuoted(std::string& line, std::string_view value) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  line += '"';
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (c == '\n') {
      line += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      line += {'\\', 'x', kHex[byte >> 4U], kHex[byte & 15U]};
    } else {
      line += c;
    }
  }
  line += '"';
}

}  // namespace

std::string formatEvent(std::string_view event, std::initializer_list<Field> fields) {
  std::string line(event);
  for (const Field& field : fields) {
    line.append(" ").append(field.name).append("=");
    if (needsQuotes(field.value)) {
      appendQuoted(line, field.value);
    } else {
      line += field.value;
    }
  }
  return line;
}

Log Log::toStandardError(LogLevel least) {
  auto sink =
      std::make_shared<Sink>(Sink{spdlog::logger("quickmatch", std::make_shared<spdlog::sinks::stderr_sink_mt>())});
  sink->logger.set_level(levelOf(least));
  sink->logger.set_formatter(
      std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc));
  return Log(std::move(sink));
}

Log Log::silent() {
  return Log(nullptr);
}

void Log::write(LogLevel level, std::string_view event, std::initializer_list<Field> fields) const {
  if (sink_ == nullptr || !sink_->logger.should_log(levelOf(level))) return;
  const std::string line = formatEvent(event, fields);
  sink_->logger.log(levelOf(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace qm
