#include "api/daemon/rest/router.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "api/daemon/rest/problem.h"

namespace qm::rest {

namespace {

std::vector<std::string_view> segmentsOf(std::string_view path) {
  std::vector<std::string_view> segments;
  for (std::size_t begin = 1; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    segments.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return segments;
}

bool isName(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

// RFC 3986, section 2.1. none: a '%' without two digits after it, or a decoded '/' or NUL, which no name has.
std::optional<std::string> percentDecoded(std::string_view segment) {
  std::string text;
  for (std::size_t at = 0; at < segment.size(); ++at) {
    if (segment[at] != '%') {
      text.push_back(segment[at]);
      continue;
    }
    std::uint8_t byte = 0;
    const std::string_view digits = segment.substr(at + 1, 2);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || read.ptr != digits.data() + 2 || byte == 0 || byte == '/') return std::nullopt;
    text.push_back(static_cast<char>(byte));
    at += 2;
  }
  return text;
}

std::optional<PathValues> match(std::string_view pattern, const std::vector<std::string_view>& segments) {
  const std::vector<std::string_view> wanted = segmentsOf(pattern);
  if (wanted.size() != segments.size()) return std::nullopt;
  PathValues values;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!isName(wanted[i])) {
      if (wanted[i] != segments[i]) return std::nullopt;
      continue;
    }
    auto value = percentDecoded(segments[i]);
    if (!value || value->empty()) return std::nullopt;
    values.emplace(wanted[i].substr(1, wanted[i].size() - 2), *std::move(value));
  }
  return values;
}

}  // namespace

Response Router::route(const Request& request) const {
  const auto found = find(request);
  return found.has_value() ? found->route->handler(request, found->path) : found.error();
}

std::expected<Router::Found, Response> Router::find(const Request& request) const {
  const auto refused = [](const Problem& problem) { return std::unexpected(respond(problem)); };
  if (!request.origin.empty()) {
    return refused({.code = ProblemCode::foreignOrigin, .detail = fmt::format("a page of {} asks", request.origin)});
  }
  const std::string_view path = std::string_view(request.target).substr(0, request.target.find('?'));
  const std::vector<std::string_view> segments = segmentsOf(path);
  std::vector<std::string_view> allowed;
  for (const Route& candidate : routes_) {
    auto values = match(candidate.path, segments);
    if (!values) continue;
    if (candidate.method == request.method) return Found{.route = &candidate, .path = *std::move(values)};
    allowed.push_back(candidate.method);
  }
  if (allowed.empty()) {
    return refused({.code = ProblemCode::noSuchPath, .detail = fmt::format("there is nothing at {}", path)});
  }
  Response response =
      respond({.code = ProblemCode::methodNotAllowed, .detail = fmt::format("{} takes no {}", path, request.method)});
  response.headers.emplace_back("Allow", fmt::format("{}", fmt::join(allowed, ", ")));
  return std::unexpected(std::move(response));
}

}  // namespace qm::rest
