#include "api/vmm/request/parse.h"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>

#include "api/json/fields.h"
#include "api/vmm/request/bodies.h"

namespace qm::vmm {

namespace {

using boost::json::value;

struct Endpoint {
  std::string_view method;
  std::string_view path;  // one that ends in '/' is followed by the id that the body names
  Result<Request> (*read)(const value& body);
};

template <auto read>
Result<Request> as(const value& body) {
  return Request(TRY(read(body)));
}
template <class Described>
Result<Request> describe(const value& /*body*/) {
  return Request(Described{});
}

constexpr std::array kEndpoints{
    Endpoint{"GET", "/", describe<DescribeInstance>},
    Endpoint{"GET", "/version", describe<DescribeVersion>},
    Endpoint{"GET", "/machine-config", describe<DescribeShape>},
    Endpoint{"GET", "/qm/times", describe<DescribeTimes>},
    Endpoint{"GET", "/qm/counters", describe<DescribeCounters>},
    Endpoint{"PUT", "/machine-config", as<readShape>},
    Endpoint{"PUT", "/boot-source", as<readBootFiles>},
    Endpoint{"PUT", "/drives/", as<readDrive>},
    Endpoint{"PUT", "/network-interfaces/", as<readNet>},
    Endpoint{"PUT", "/vsock", as<readVsock>},
    Endpoint{"PUT", "/entropy", as<readEntropy>},
    Endpoint{"PUT", "/actions", readAction},
    Endpoint{"PATCH", "/vm", readRunState},
    Endpoint{"PUT", "/snapshot/create", as<readCreateSnapshot>},
    Endpoint{"PUT", "/snapshot/load", as<readLoadSnapshot>},
};

Error refused(std::string sentence) {
  return Error(Remedy::fixInput, std::move(sentence));
}

bool namesResource(const Endpoint& endpoint) {
  return endpoint.path.size() > 1 && endpoint.path.ends_with('/');
}

const Endpoint* find(std::string_view method, std::string_view target) {
  const auto found = std::ranges::find_if(kEndpoints, [&](const Endpoint& endpoint) {
    if (endpoint.method != method) return false;
    return namesResource(endpoint) ? target.starts_with(endpoint.path) : target == endpoint.path;
  });
  return found == kEndpoints.end() ? nullptr : &*found;
}

// For an answer in JSON: no byte of the path can break it.
std::string printable(std::string_view text) {
  std::string shown(text);
  std::ranges::replace_if(shown, [](char c) { return c < ' ' || c > '~'; }, '?');
  return shown;
}

Error unreadable(const Error& error) {
  std::string text = error.text();
  if (!text.ends_with('.')) text += '.';
  return refused("An error occurred when deserializing the json body of a request: " + text);
}

Status checkBody(std::string_view method, std::string_view body) {
  if (method == "GET" && !body.empty()) return refused("GET request cannot have a body.");
  if (method == "PUT" && body.empty()) return refused("Empty PUT request.");
  if (method == "PATCH" && body.empty()) return refused("Empty PATCH request.");
  return {};
}

// The id that a body carries, of the two requests that have one.
const std::string* bodyId(const Request& request) {
  if (const auto* drive = std::get_if<BlockConfig>(&request)) return &drive->id;
  if (const auto* net = std::get_if<NetConfig>(&request)) return &net->id;
  return nullptr;
}

}  // namespace

Result<Request> parseRequest(std::string_view method, std::string_view target, std::string_view body) {
  TRY(checkBody(method, body));
  const Endpoint* endpoint = find(method, target);
  if (endpoint == nullptr) {
    const std::string_view path = target.starts_with('/') ? target.substr(1) : target;
    return refused(fmt::format("Invalid request method and/or path: {} {}.", printable(method), printable(path)));
  }
  const std::string_view pathId = namesResource(*endpoint) ? target.substr(endpoint->path.size()) : std::string_view{};
  if (namesResource(*endpoint)) TRY(checkId(pathId));
  value json;
  if (!body.empty()) {
    Result<value> parsed = parseJson(body);
    if (!parsed.has_value()) return unreadable(parsed.error());
    json = *std::move(parsed);
  }
  Result<Request> request = endpoint->read(json);
  if (!request.has_value()) return unreadable(request.error());
  const std::string* id = bodyId(*request);
  if (id != nullptr && *id != pathId)
    return refused(fmt::format("The id from the path [{}] does not match the id from the body [{}]!", pathId, *id));
  return request;
}

}  // namespace qm::vmm
