// Which handler answers which method and path. Built once, then only read: any thread may route.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/daemon/rest/message.h"
#include "api/daemon/rest/pending.h"

namespace qm::rest {

using Handler = std::function<Response(const Request&, const PathValues&)>;
// The same without waiting, for a thread that serves many requests. Both outlive what it answers.
using Beginner = std::function<Begun(const Request&, const PathValues&)>;

// What a handler may do to the thread that it runs on.
enum class Work : std::uint8_t {
  mayWait,  // for a guest, a VM or a file
  atOnce,   // for nothing but a short mutex
};

struct Route {
  std::string method;
  std::string path;       // "/v1/leases/{id}/ping": a {name} stands for one segment
  std::string operation;  // its operationId in the OpenAPI document
  Handler handler;
  Work work = Work::mayWait;
  Beginner begin = nullptr;  // null: there is no other way than the handler's
};

class Router {
 public:
  explicit Router(std::vector<Route> routes) : routes_(std::move(routes)) {}

  const std::vector<Route>& routes() const { return routes_; }
  // The handler's answer, or a problem when nothing is there (404), nothing of that method (405), or a web page asks
  // (403): a page that a user of this machine has open may send requests to loopback too.
  Response route(const Request& request) const;

  // The same in two steps, for who chooses the thread by the route's work.
  struct Found {
    const Route* route = nullptr;  // of this router
    PathValues path;
  };
  std::expected<Found, Response> find(const Request& request) const;

 private:
  std::vector<Route> routes_;
};

}  // namespace qm::rest
