#include "api/cli/cells.h"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace qm::cli {

std::string cell(const boost::json::value& document, const char* name) {
  const boost::json::object* object = document.if_object();
  const boost::json::value* value = object == nullptr ? nullptr : object->if_contains(name);
  if (value == nullptr || value->is_null()) return "-";
  if (const boost::json::string* text = value->if_string()) return std::string(*text);
  return boost::json::serialize(*value);
}

std::string duration(std::int64_t microseconds) {
  constexpr std::int64_t kMillisecond = 1'000;
  constexpr std::int64_t kSecond = 1'000'000;
  const auto exact = static_cast<double>(microseconds);
  if (microseconds < kMillisecond) return fmt::format("{} us", microseconds);
  if (microseconds < kSecond) return fmt::format("{:.2f} ms", exact / kMillisecond);
  return fmt::format("{:.2f} s", exact / kSecond);
}

std::string phasesText(const boost::json::value& grant) {
  const boost::json::object* object = grant.if_object();
  const boost::json::value* phases = object == nullptr ? nullptr : object->if_contains("phases_us");
  if (phases == nullptr || !phases->is_object()) return "-";
  std::string text;
  std::string total = "-";
  for (const auto& [name, value] : phases->get_object()) {
    if (!value.is_int64()) continue;
    if (name == "total") {
      total = duration(value.get_int64());
    } else {
      text += fmt::format("{} {}, ", std::string_view(name.data(), name.size()), duration(value.get_int64()));
    }
  }
  if (text.empty()) return total;
  text.resize(text.size() - 2);
  return fmt::format("{}; {} in all", text, total);
}

}  // namespace qm::cli
