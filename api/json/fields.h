// One JSON object, read strictly: every field that is read by name counts as known, finish() refuses the others.
//
//   Fields fields = TRY(Fields::of(body));
//   request.ttlSeconds = TRY(fields.number("ttl_seconds", {.least = 1, .most = 86'400}, 60));
//   TRY(fields.finish());
//
// A field that is null counts as absent. All errors are fixInput and name the field.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "vmm/result/result.h"

namespace qm {

// The text as one JSON value; nesting is bounded, so that no text can exhaust the stack.
Result<boost::json::value> parseJson(std::string_view text);

class Fields {
 public:
  struct Range {
    std::uint64_t least = 0;
    std::uint64_t most = UINT64_MAX;
  };

  // Refers to `value`, which outlives it.
  static Result<Fields> of(const boost::json::value& value);

  bool has(std::string_view name) { return find(name) != nullptr; }

  // Required, unless a value for its absence is given. No text may hold a NUL: it would be cut there later.
  Result<std::string> text(std::string_view name);
  Result<std::string> text(std::string_view name, std::string_view otherwise);
  Result<std::uint64_t> number(std::string_view name, Range range);
  Result<std::uint64_t> number(std::string_view name, Range range, std::uint64_t otherwise);
  Result<bool> boolean(std::string_view name, bool otherwise);

  // Arrays; absent is empty.
  Result<std::vector<std::string>> texts(std::string_view name);
  Result<std::vector<std::vector<std::string>>> listsOfTexts(std::string_view name);
  // An object whose values are texts, in its order; absent is empty.
  Result<std::vector<std::pair<std::string, std::string>>> textByName(std::string_view name);

  // The field as it is; null when absent.
  const boost::json::value* find(std::string_view name);

  // Refuses what was not asked for.
  Status finish() const;

 private:
  explicit Fields(const boost::json::object& object) : object_(object) {}
  Result<const boost::json::value*> require(std::string_view name);

  const boost::json::object& object_;
  std::vector<std::string_view> known_;
};

}  // namespace qm
