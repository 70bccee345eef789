#include "api/daemon/rest/router.h"

#include <gtest/gtest.h>

namespace qm::rest {
namespace {

Handler saying(const std::string& word) {
  return [word](const Request&, const PathValues& values) {
    Response response{.body = word};
    for (const auto& [name, value] : values) response.body.append(" ").append(name).append("=").append(value);
    return response;
  };
}

Router leases() {
  return Router({{"GET", "/v1/leases/{id}", "getLease", saying("get")},
                 {"DELETE", "/v1/leases/{id}", "releaseLease", saying("release")},
                 {"GET", "/v1/leases/{id}/ping", "pingLease", saying("ping")}});
}

Response ask(std::string method, std::string target) {
  return leases().route({.method = std::move(method), .target = std::move(target)});
}

TEST(Router, MethodAndPathChooseTheHandler) {
  EXPECT_EQ(ask("GET", "/v1/leases/a1").body, "get id=a1");
  EXPECT_EQ(ask("DELETE", "/v1/leases/a1").body, "release id=a1");
  EXPECT_EQ(ask("GET", "/v1/leases/a1/ping?verbose=1").body, "ping id=a1");
  EXPECT_EQ(ask("GET", "/v1/leases/a%31").body, "get id=a1");
}

TEST(Router, NothingThereIs404) {
  for (const char* target :
       {"/", "", "/v1/leases", "/v1/leases/", "/v1/leases/a/b/c", "/v1/leases/%2f", "/v1/leases/%0"})
    EXPECT_EQ(ask("GET", target).status, 404) << target;
}

TEST(Router, AnotherMethodIs405AndSaysWhichAreTaken) {
  const Response response = ask("PATCH", "/v1/leases/a1");
  EXPECT_EQ(response.status, 405);
  ASSERT_FALSE(response.headers.empty());
  EXPECT_EQ(response.headers.back(), (std::pair<std::string, std::string>("Allow", "GET, DELETE")));
}

TEST(Router, AWebPageIsNotServed) {
  const Response response =
      leases().route({.method = "GET", .target = "/v1/leases/a1", .origin = "https://example.org"});
  EXPECT_EQ(response.status, 403);
}

TEST(Router, ARouteThatIsFoundTellsWhatItsHandlerMayDo) {
  const Handler none = [](const Request&, const PathValues&) { return Response{}; };
  const Router router({{"GET", "/wait/{id}", "wait", none}, {"GET", "/look", "look", none, Work::atOnce}});
  const auto wait = router.find({.method = "GET", .target = "/wait/7"});
  ASSERT_TRUE(wait.has_value());
  EXPECT_EQ(wait->route->work, Work::mayWait);
  EXPECT_EQ(wait->path.at("id"), "7");
  EXPECT_EQ(router.find({.method = "GET", .target = "/look"})->route->work, Work::atOnce);
  EXPECT_EQ(router.find({.method = "GET", .target = "/nowhere"}).error().status, 404);
}

}  // namespace
}  // namespace qm::rest
