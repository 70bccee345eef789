#include "api/json/bytes.h"

#include <cstdint>

#include <boost/json/object.hpp>
#include <boost/json/string.hpp>

#include "api/json/base64.h"
#include "api/json/fields.h"

namespace qm {

namespace {

std::string_view asText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// What RFC 3629, section 4 says of a sequence by its first byte: how many follow, and where the second one may lie.
struct Sequence {
  std::size_t following = 0;
  std::uint8_t secondLeast = 0x80;
  std::uint8_t secondMost = 0xbf;
};

bool sequenceOf(std::uint8_t first, Sequence& sequence) {
  if (first <= 0x7f)
    sequence = {.following = 0};
  else if (first >= 0xc2 && first <= 0xdf)
    sequence = {.following = 1};
  else if (first == 0xe0)
    sequence = {.following = 2, .secondLeast = 0xa0};
  else if (first == 0xed)
    sequence = {.following = 2, .secondMost = 0x9f};
  else if (first >= 0xe1 && first <= 0xef)
    sequence = {.following = 2};
  else if (first == 0xf0)
    sequence = {.following = 3, .secondLeast = 0x90};
  else if (first >= 0xf1 && first <= 0xf3)
    sequence = {.following = 3};
  else if (first == 0xf4)
    sequence = {.following = 3, .secondMost = 0x8f};
  else
    return false;
  return true;
}

}  // namespace

bool isUtf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    Sequence sequence;
    if (!sequenceOf(static_cast<std::uint8_t>(text[at]), sequence)) return false;
    ++at;
    for (std::size_t i = 0; i < sequence.following; ++i, ++at) {
      if (at >= text.size()) return false;
      const auto byte = static_cast<std::uint8_t>(text[at]);
      const std::uint8_t least = i == 0 ? sequence.secondLeast : 0x80;
      const std::uint8_t most = i == 0 ? sequence.secondMost : 0xbf;
      if (byte < least || byte > most) return false;
    }
  }
  return true;
}

boost::json::value bytesToJson(std::span<const std::byte> bytes) {
  const std::string_view text = asText(bytes);
  if (isUtf8(text)) return boost::json::string(text);
  return boost::json::object{{"base64", toBase64(bytes)}};
}

Result<std::vector<std::byte>> bytesFromJson(const boost::json::value& value) {
  if (const boost::json::string* text = value.if_string()) {
    const auto bytes = std::as_bytes(std::span(text->data(), text->size()));
    return std::vector<std::byte>(bytes.begin(), bytes.end());
  }
  if (!value.is_object()) return Error(Remedy::fixInput, "bytes are a string or an object {\"base64\": \"…\"}");
  Fields fields = TRY(Fields::of(value));
  const std::string text = TRY(fields.text("base64"));
  TRY(fields.finish());
  return fromBase64(text);
}

}  // namespace qm
