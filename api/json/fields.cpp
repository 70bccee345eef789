#include "api/json/fields.h"

#include <algorithm>

#include <boost/json/parse.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace qm {

namespace {

constexpr std::size_t kDeepestNesting = 16;

Error wrong(std::string_view name, std::string_view sentence) {
  return Error(Remedy::fixInput, fmt::format("\"{}\" {}", name, sentence));
}

Result<std::string> textOf(std::string_view name, const boost::json::value& value) {
  const boost::json::string* text = value.if_string();
  if (text == nullptr) return wrong(name, "must be a string");
  if (text->find('\0') != boost::json::string::npos) return wrong(name, "must not hold a NUL character");
  return std::string(text->data(), text->size());
}

Result<std::vector<std::string>> textsOf(std::string_view name, const boost::json::value& value) {
  const boost::json::array* array = value.if_array();
  if (array == nullptr) return wrong(name, "must be an array of strings");
  std::vector<std::string> texts;
  texts.reserve(array->size());
  for (const boost::json::value& element : *array) texts.push_back(TRY(textOf(name, element)));
  return texts;
}

Result<std::uint64_t> numberOf(std::string_view name, const boost::json::value& value, Fields::Range range) {
  boost::json::error_code failure;
  const auto number = value.to_number<std::uint64_t>(failure);
  if (failure || value.is_double() || number < range.least || number > range.most) {
    return wrong(name, fmt::format("must be a whole number from {} to {}", range.least, range.most));
  }
  return number;
}

}  // namespace

Result<boost::json::value> parseJson(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = kDeepestNesting;
  boost::json::error_code failure;
  boost::json::value value = boost::json::parse(text, failure, {}, options);
  if (failure) return Error(Remedy::fixInput, fmt::format("this is no JSON: {}", failure.message()));
  return value;
}

Result<Fields> Fields::of(const boost::json::value& value) {
  const boost::json::object* object = value.if_object();
  if (object == nullptr) return Error(Remedy::fixInput, "a JSON object is expected");
  return Fields(*object);
}

const boost::json::value* Fields::find(std::string_view name) {
  if (std::ranges::find(known_, name) == known_.end()) known_.push_back(name);
  const boost::json::value* value = object_.if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

Result<const boost::json::value*> Fields::require(std::string_view name) {
  const boost::json::value* value = find(name);
  if (value == nullptr) return Error(Remedy::fixInput, fmt::format("the field \"{}\" is missing", name));
  return value;
}

Result<std::string> Fields::text(std::string_view name) {
  const boost::json::value* value = TRY(require(name));
  return textOf(name, *value);
}

Result<std::string> Fields::text(std::string_view name, std::string_view otherwise) {
  const boost::json::value* value = find(name);
  if (value == nullptr) return std::string(otherwise);
  return textOf(name, *value);
}

Result<std::uint64_t> Fields::number(std::string_view name, Range range) {
  const boost::json::value* value = TRY(require(name));
  return numberOf(name, *value, range);
}

Result<std::uint64_t> Fields::number(std::string_view name, Range range, std::uint64_t otherwise) {
  const boost::json::value* value = find(name);
  if (value == nullptr) return otherwise;
  return numberOf(name, *value, range);
}

Result<bool> Fields::boolean(std::string_view name, bool otherwise) {
  const boost::json::value* value = find(name);
  if (value == nullptr) return otherwise;
  if (!value->is_bool()) return wrong(name, "must be true or false");
  return value->get_bool();
}

Result<std::vector<std::string>> Fields::texts(std::string_view name) {
  const boost::json::value* value = find(name);
  if (value == nullptr) return std::vector<std::string>{};
  return textsOf(name, *value);
}

Result<std::vector<std::vector<std::string>>> Fields::listsOfTexts(std::string_view name) {
  std::vector<std::vector<std::string>> lists;
  const boost::json::value* value = find(name);
  if (value == nullptr) return lists;
  if (!value->is_array()) return wrong(name, "must be an array of arrays of strings");
  for (const boost::json::value& element : value->get_array()) lists.push_back(TRY(textsOf(name, element)));
  return lists;
}

Result<std::vector<std::pair<std::string, std::string>>> Fields::textByName(std::string_view name) {
  std::vector<std::pair<std::string, std::string>> texts;
  const boost::json::value* value = find(name);
  if (value == nullptr) return texts;
  if (!value->is_object()) return wrong(name, "must be an object whose values are strings");
  for (const auto& [key, text] : value->get_object()) texts.emplace_back(key, TRY(textOf(name, text)));
  return texts;
}

Status Fields::finish() const {
  for (const auto& [key, value] : object_) {
    const std::string_view name(key.data(), key.size());
    if (std::ranges::find(known_, name) == known_.end()) {
      return Error(Remedy::fixInput,
                   fmt::format("the field \"{}\" is unknown; known are {}", name, fmt::join(known_, ", ")));
    }
  }
  return {};
}

}  // namespace qm
