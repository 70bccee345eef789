// One line per event, fields not prose: `2026-01-31T10:00:00.123Z info vm.started id=demo vcpus=2`.
// A Log is passed to whoever speaks; there is no global one. Threads: all functions may be called from any.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace qm {

// A name and a value, shown as name=value; quoted when the value has spaces, quotes, '=' or control characters
// (escaped), so that no value, whoever chose it, can forge a second field or line.
struct Field {
  Field(std::string_view fieldName, std::string_view text) : name(fieldName), value(text) {}
  Field(std::string_view fieldName, const char* text) : name(fieldName), value(text) {}
  Field(std::string_view fieldName, std::integral auto number) : name(fieldName), value(std::to_string(number)) {}

  std::string_view name;
  std::string value;
};

enum class LogLevel : std::uint8_t { debug, info, warning, error, off };

class Log {
 public:
  // To standard error.
  static Log toStandardError(LogLevel least);
  // Drops everything: for tests and tools that have nobody to tell.
  static Log silent();

  void debug(std::string_view event, std::initializer_list<Field> fields = {}) const {
    write(LogLevel::debug, event, fields);
  }
  void info(std::string_view event, std::initializer_list<Field> fields = {}) const {
    write(LogLevel::info, event, fields);
  }
  void warning(std::string_view event, std::initializer_list<Field> fields = {}) const {
    write(LogLevel::warning, event, fields);
  }
  void error(std::string_view event, std::initializer_list<Field> fields = {}) const {
    write(LogLevel::error, event, fields);
  }

 private:
  struct Sink;
  explicit Log(std::shared_ptr<Sink> sink) : sink_(std::move(sink)) {}
  void write(LogLevel level, std::string_view event, std::initializer_list<Field> fields) const;

  std::shared_ptr<Sink> sink_;
};

// The line's text after time and level; public for its test.
std::string formatEvent(std::string_view event, std::initializer_list<Field> fields);

}  // namespace qm
