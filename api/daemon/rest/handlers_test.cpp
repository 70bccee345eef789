// The handlers over a real pool whose VMs are fakes.
#include <chrono>
#include <functional>
#include <optional>
#include <thread>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "api/daemon/rest/router.h"
#include "api/daemon/rest/routes.h"
#include "pool/fake_observer.h"
#include "pool/template/fake_shelf.h"
#include "pool/vm/fake_vm.h"

namespace qm::rest {
namespace {

namespace json = boost::json;

class HandlersTest : public testing::Test {
 protected:
  Response ask(std::string method, std::string target, const std::string& body = {}, const std::string& token = {}) {
    Request request{.method = std::move(method), .target = std::move(target), .body = body};
    if (!token.empty()) request.authorization = "Bearer " + token;
    return router.route(request);
  }
  json::value askJson(std::string method, std::string target, std::uint16_t status, const std::string& body = {},
                      const std::string& token = {}) {
    const Response response = ask(std::move(method), std::move(target), body, token);
    EXPECT_EQ(response.status, status) << response.body;
    return json::parse(response.body);
  }
  void putHello(int poolSize) {
    const std::string recipe =
        R"({"kernel":"/vmlinux","initrd":"/hello.cpio","pool_size":)" + std::to_string(poolSize) + "}";
    askJson("PUT", "/v1/templates/hello", 201, recipe);
  }
  json::value acquireHello() { return askJson("POST", "/v1/leases", 201, R"({"template":"hello","wait_ms":5000})"); }
  // The pool's workers act by themselves; five seconds stand for "never".
  static void eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!condition() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ASSERT_TRUE(condition());
  }
  std::string stateOfHello() {
    return std::string(askJson("GET", "/v1/templates/hello", 200).at("status").at("state").as_string());
  }

  pool::FakeVms vms;
  pool::FakeShelf shelf;
  pool::SystemClock clock;
  pool::FakeObserver observer;
  pool::Pool pool{{.spawner = vms, .shelf = shelf, .clock = clock, .observer = observer, .log = Log::silent()},
                  {.blanks = 0}};
  Router router{routes({.pool = pool, .metricsText = [] { return "quickmatch_blanks 0\n"; }, .hypervisor = "soft"})};
};

std::string text(const json::value& value) {
  return std::string(value.as_string());
}

TEST_F(HandlersTest, ATemplateIsPutBuiltShownAndDeleted) {
  putHello(0);
  EXPECT_EQ(stateOfHello(), "none");
  const Response build = ask("POST", "/v1/templates/hello/build");
  EXPECT_EQ(build.status, 202);
  EXPECT_EQ(build.headers.front().second, "/v1/templates/hello");
  eventually([&] { return stateOfHello() == "ready"; });
  EXPECT_EQ(askJson("GET", "/v1/templates", 200).at("templates").as_array().size(), 1U);
  EXPECT_EQ(ask("PUT", "/v1/templates/hello", R"({"kernel":"/other"})").status, 200) << "it replaces";
  EXPECT_EQ(ask("DELETE", "/v1/templates/hello").status, 204);
  EXPECT_EQ(ask("GET", "/v1/templates/hello").status, 404);
}

TEST_F(HandlersTest, ALeaseIsAcquiredAskedRenewedAndReleased) {
  putHello(1);
  eventually([&] { return pool.pools().front().ready == 1; });
  const json::value grant = acquireHello();
  EXPECT_EQ(grant.at("road"), "ready");
  const std::string lease = "/v1/leases/" + text(grant.at("id"));
  const std::string token = text(grant.at("token"));
  EXPECT_EQ(askJson("GET", lease + "/ping", 200, "", token).at("nonce").as_string().size(), 16U);
  EXPECT_EQ(askJson("POST", lease + "/renew", 200, R"({"ttl_seconds":120})", token).at("template"), "hello");
  EXPECT_EQ(askJson("POST", lease + "/exec", 200, R"({"argv":["echo","hi"]})", token).at("exit_code"), 0);
  EXPECT_EQ(askJson("GET", "/v1/leases", 200).at("leases").as_array().size(), 1U);
  EXPECT_EQ(ask("DELETE", lease, "", token).status, 204);
  EXPECT_EQ(ask("DELETE", lease, "", token).status, 204) << "releasing twice is free";
  EXPECT_EQ(askJson("GET", lease + "/ping", 410, "", token).at("code"), "lease-ended");
}

TEST_F(HandlersTest, AnInvocationRunsItsCommandAndLeavesNoLease) {
  putHello(0);
  const json::value ran =
      askJson("POST", "/v1/invocations", 200, R"({"template":"hello","exec":{"argv":["echo","hi"]}})");
  EXPECT_EQ(ran.at("exec").at("stdout"), "hi");
  EXPECT_EQ(ran.at("road"), "boot");
  EXPECT_TRUE(pool.leases().empty());
  EXPECT_EQ(askJson("POST", "/v1/invocations", 400, R"({"template":"hello"})").at("code"), "invalid-request");
  EXPECT_EQ(askJson("POST", "/v1/invocations", 404, R"({"template":"x","exec":{"argv":["a"]}})").at("code"),
            "no-such-template");
}

TEST_F(HandlersTest, AnInvocationWhoseGuestFailsLeavesNoLeaseEither) {
  putHello(1);
  eventually([&] { return pool.pools().front().ready == 1; });
  vms.fail(pool::Phase::warmUp, 1, Error(Remedy::giveUp, "the agent hung up"));
  const json::value problem =
      askJson("POST", "/v1/invocations", 502, R"({"template":"hello","exec":{"argv":["echo","hi"]}})");
  EXPECT_EQ(problem.at("code"), "guest-failed");
  EXPECT_TRUE(pool.leases().empty());
}

TEST_F(HandlersTest, OnlyItsOwnTokenOpensALease) {
  putHello(0);
  const std::string lease = "/v1/leases/" + text(acquireHello().at("id"));
  const json::value other = acquireHello();
  EXPECT_EQ(askJson("GET", lease + "/ping", 401).at("code"), "token-missing");
  EXPECT_EQ(askJson("GET", lease + "/ping", 403, "", text(other.at("token"))).at("code"), "token-wrong");
  EXPECT_EQ(askJson("DELETE", lease, 403, "", std::string(64, '0')).at("code"), "token-wrong");
  EXPECT_EQ(askJson("GET", "/v1/leases/lease-0", 404, "", "x").at("code"), "no-such-lease");
}

TEST_F(HandlersTest, EachRoadCanBeForcedAndAnImpossibleOneIsAProblem) {
  putHello(0);
  EXPECT_EQ(askJson("POST", "/v1/leases", 201, R"({"template":"hello","road":"boot"})").at("road"), "boot");
  const json::value refused = json::parse(ask("POST", "/v1/leases", R"({"template":"hello","road":"spawn"})").body);
  EXPECT_TRUE(refused.as_object().contains("remedy")) << "there is no snapshot to restore";
  EXPECT_EQ(askJson("POST", "/v1/leases", 404, R"({"template":"helo"})").at("code"), "no-such-template");
}

TEST_F(HandlersTest, WhatIsNotUnderstoodIsRefusedWithTheFieldsName) {
  const json::value problem = askJson("PUT", "/v1/templates/hello", 400, R"({"kernel":"/k","memory":64})");
  EXPECT_EQ(problem.at("code"), "invalid-request");
  EXPECT_NE(text(problem.at("detail")).find("\"memory\" is unknown"), std::string::npos);
  EXPECT_EQ(ask("PUT", "/v1/templates/hello", R"({"kernel":"relative/path"})").status, 400);
  EXPECT_EQ(ask("PUT", "/v1/templates/hello", "{").status, 400);
  EXPECT_EQ(ask("PUT", "/v1/templates/Not%20A%20Name", R"({"kernel":"/k"})").status, 400);
  EXPECT_EQ(ask("POST", "/v1/leases", "[]").status, 400);
}

TEST_F(HandlersTest, AGuestThatFailsIsA502AndNot500) {
  putHello(0);
  // Nothing is built meanwhile whose pings could take the fault.
  ask("POST", "/v1/templates/hello/build");
  eventually([&] { return stateOfHello() == "ready"; });
  const json::value grant = acquireHello();
  vms.fail(pool::Phase::ping, 1, Error(Remedy::giveUp, "the agent's echo differs"));
  const json::value problem =
      askJson("GET", "/v1/leases/" + text(grant.at("id")) + "/ping", 502, "", text(grant.at("token")));
  EXPECT_EQ(problem.at("code"), "guest-failed");
  EXPECT_NE(text(problem.at("cause")).find("the agent's echo differs"), std::string::npos);
}

TEST_F(HandlersTest, ReadinessWaitsForTheFirstSnapshotsHealthDoesNot) {
  vms.closeGate();
  EXPECT_EQ(ask("GET", "/readyz").status, 200) << "nothing is promised, so nothing is missing";
  putHello(1);
  EXPECT_EQ(askJson("GET", "/healthz", 200).at("hypervisor"), "soft");
  vms.openGate();
  eventually([&] { return ask("GET", "/readyz").status == 200; });
  EXPECT_EQ(askJson("GET", "/v1/pools", 200).at("pools").at(0).at("wanted"), 1);
  EXPECT_EQ(ask("GET", "/metrics").contentType, "text/plain; version=0.0.4; charset=utf-8");
}

}  // namespace
}  // namespace qm::rest
