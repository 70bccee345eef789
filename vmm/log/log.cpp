#include "vmm/log/log.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <spdlog/formatter.h>
#include <spdlog/logger.h>
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

// "2026-11-24T14:59:35.867Z info …". Ours, since spdlog's asks gmtime_r, which in glibc reads /etc/localtime first: in
// a VM's start that is a file to open at the worst moment, and in its jail one that is not there.
class EventFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) override {
    using namespace std::chrono;
    const auto time = floor<milliseconds>(message.time);
    const auto day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss clock(time - day);
    const spdlog::string_view_t level = spdlog::level::to_string_view(message.level);
    fmt::format_to(std::back_inserter(line), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z {} {}\n",
                   static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                   static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(),
                   clock.seconds().count(), clock.subseconds().count(), std::string_view(level.data(), level.size()),
                   std::string_view(message.payload.data(), message.payload.size()));
  }
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<EventFormatter>(); }
};

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
  sink->logger.set_formatter(std::make_unique<EventFormatter>());
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
