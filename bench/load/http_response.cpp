#include "bench/load/http_response.h"

#include <algorithm>
#include <charconv>

namespace qm::bench {

namespace {

constexpr std::size_t kLongestHead = 16'384;
constexpr std::size_t kLongestBody = 16ULL << 20U;

Error noResponse(std::string_view why) {
  return {Remedy::giveUp, "what the daemon sent is no response: " + std::string(why)};
}

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool alike(std::string_view one, std::string_view other) {
  return std::ranges::equal(one, other, {}, lower, lower);
}

std::string_view withoutSpaces(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

template <class Number>
Result<Number> numberIn(std::string_view text) {
  Number value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size())
    return noResponse("a number is none");
  return value;
}

}  // namespace

Result<Progress> HttpResponse::take(std::string_view bytes) {
  text_ += bytes;
  if (bodyAt_ == 0) {
    const std::size_t end = text_.find("\r\n\r\n");
    if (end == std::string::npos) {
      if (text_.size() > kLongestHead) return noResponse("its head does not end");
      return Progress::partial;
    }
    TRY(readHead(std::string_view(text_).substr(0, end + 2)));
    bodyAt_ = end + 4;
  }
  const std::size_t have = text_.size() - bodyAt_;
  if (have > bodyBytes_) return noResponse("it is followed by something else");
  return have == bodyBytes_ ? Progress::complete : Progress::partial;
}

void HttpResponse::reset() {
  text_.clear();
  bodyAt_ = 0;
  bodyBytes_ = 0;
  status_ = 0;
  keeps_ = true;
}

// `head`: lines, each with its end.
Status HttpResponse::readHead(std::string_view head) {
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  constexpr std::size_t kStatusDigits = 3;
  if (!head.starts_with(kVersion)) return noResponse("it is not HTTP/1.1");
  status_ = TRY(numberIn<std::uint16_t>(head.substr(kVersion.size(), kStatusDigits)));
  if (status_ < 200) return noResponse("it is an interim one");
  head.remove_prefix(head.find("\r\n") + 2);
  while (!head.empty()) {
    const std::size_t end = head.find("\r\n");
    TRY(readField(head.substr(0, end)));
    head.remove_prefix(end + 2);
  }
  constexpr std::uint16_t kNoContent = 204;
  if (status_ == kNoContent && bodyBytes_ != 0) return noResponse("it has content and says that it has none");
  return {};
}

Status HttpResponse::readField(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return noResponse("a header has no colon");
  const std::string_view name = line.substr(0, colon), value = withoutSpaces(line.substr(colon + 1));
  if (alike(name, "content-length")) {
    bodyBytes_ = TRY(numberIn<std::size_t>(value));
    if (bodyBytes_ > kLongestBody) return noResponse("it is too long");
  }
  if (alike(name, "transfer-encoding")) return noResponse("its body is coded");
  if (alike(name, "connection") && alike(value, "close")) keeps_ = false;
  return {};
}

}  // namespace qm::bench
