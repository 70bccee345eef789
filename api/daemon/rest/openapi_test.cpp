// The OpenAPI document against the handlers: the same routes, the same fields, the same ones required.
#include <functional>
#include <set>
#include <string>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>
#include <gtest/gtest.h>

#include "api/daemon/rest/exec_json.h"
#include "api/daemon/rest/invocation_json.h"
#include "api/daemon/rest/lease_json.h"
#include "api/daemon/rest/problem.h"
#include "api/daemon/rest/routes.h"
#include "api/daemon/rest/service_handlers.h"
#include "api/daemon/rest/template_json.h"
#include "pool/fake_observer.h"
#include "pool/template/fake_shelf.h"
#include "pool/vm/fake_vm.h"
#include "vmm/os/file_descriptor.h"

namespace qm::rest {
namespace {

namespace json = boost::json;
using Names = std::set<std::string>;

std::string textOfFile(const char* path) {
  constexpr std::uint64_t kLongest = 1U << 20U;
  const auto bytes = readWholeFile(path, kLongest).value();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

const json::object& document() {
  static const json::value parsed = json::parse(textOfFile(QM_OPENAPI_DOCUMENT));
  return parsed.as_object();
}

const json::object& schema(const char* name) {
  return document().at("components").at("schemas").at(name).as_object();
}

// "GET /v1/pools listPools"
Names routesOfTheDocument() {
  Names routes;
  for (const auto& [path, item] : document().at("paths").as_object()) {
    for (const auto& [member, operation] : item.as_object()) {
      if (member == "parameters") continue;
      std::string method(member);
      for (char& letter : method) letter = static_cast<char>(std::toupper(letter));
      routes.insert(method + " " + std::string(path) + " " + json::value_to<std::string>(operation.at("operationId")));
    }
  }
  return routes;
}

Names routesOfTheHandlers() {
  pool::FakeVms vms;
  pool::FakeShelf shelf;
  pool::SystemClock clock;
  pool::FakeObserver observer;
  pool::Pool pool({.spawner = vms, .shelf = shelf, .clock = clock, .observer = observer, .log = Log::silent()},
                  {.blanks = 0});
  Names names;
  for (const Route& route : routes({.pool = pool, .metricsText = [] { return std::string(); }, .hypervisor = "kvm"})) {
    names.insert(route.method + " " + route.path + " " + route.operation);
  }
  return names;
}

Names membersOf(const json::object& object) {
  Names names;
  for (const auto& member : object) names.emplace(member.key());
  return names;
}

Names requiredOf(const json::object& type) {
  Names names;
  for (const json::value& name : type.at("required").as_array()) names.emplace(name.as_string());
  return names;
}

// The schema's example has every property and is understood; each property may be left out unless it is required, and
// no other may be there.
void expectRequest(const char* name, const std::function<bool(const json::value&)>& understands) {
  const json::object& type = schema(name);
  const json::object& example = type.at("example").as_object();
  const Names required = requiredOf(type);
  EXPECT_EQ(membersOf(example), membersOf(type.at("properties").as_object())) << name;
  EXPECT_TRUE(understands(example)) << name;
  for (const std::string& property : membersOf(example)) {
    json::object without = example;
    without.erase(property);
    EXPECT_EQ(understands(without), !required.contains(property)) << name << " without " << property;
  }
  json::object with = example;
  with["surplus"] = 1;
  EXPECT_FALSE(understands(with)) << name;
}

void expectResponse(const char* name, const json::object& shown) {
  const json::object& type = schema(name);
  EXPECT_EQ(membersOf(shown), membersOf(type.at("properties").as_object())) << name;
  EXPECT_EQ(membersOf(shown), requiredOf(type)) << name;
}

TEST(OpenApi, EveryRouteIsInTheDocumentAndTheOtherWayRound) {
  EXPECT_EQ(routesOfTheDocument(), routesOfTheHandlers());
}

TEST(OpenApi, RequestsHaveTheFieldsThatTheHandlersRead) {
  expectRequest("Recipe", [](const json::value& body) { return recipeFromJson("hello", body).has_value(); });
  expectRequest("AcquireRequest", [](const json::value& body) { return acquireRequestFromJson(body).has_value(); });
  expectRequest("RenewRequest", [](const json::value& body) { return ttlFromJson(body).has_value(); });
  expectRequest("InvokeRequest", [](const json::value& body) { return invocationFromJson(body).has_value(); });
  expectRequest("ExecRequest", [](const json::value& body) { return runFromJson(body).has_value(); });
}

TEST(OpenApi, AnswersHaveTheFieldsThatTheHandlersWrite) {
  expectResponse("Template", toJson(pool::TemplateView{}));
  expectResponse("TemplateStatus", toJson(pool::TemplateStatus{}));
  expectResponse("Grant", toJson(pool::Grant{}));
  expectResponse("Invocation", invocationToJson(pool::Grant{}, agent::Ran{}));
  expectResponse("Lease", toJson(pool::LeaseView{}));
  expectResponse("Reply", toJson(pool::Reply{}));
  expectResponse("MemoryUse", toJson(pool::MemoryUse{}));
  expectResponse("ExecResult", toJson(agent::Ran{}));
  expectResponse("Health", json::parse(health("kvm").body).as_object());
  const Response problem = respond({.code = ProblemCode::internal, .detail = "x"});
  expectResponse("Problem", json::parse(problem.body).as_object());
}

TEST(OpenApi, PhasesAreNamedAsThePoolNamesThem) {
  pool::Phases all;
  for (int phase = 0; phase <= static_cast<int>(pool::Phase::ping); ++phase) {
    all.add(static_cast<pool::Phase>(phase), std::chrono::microseconds(1));
  }
  EXPECT_EQ(membersOf(toJson(all)), membersOf(schema("Phases").at("properties").as_object()));
}

TEST(OpenApi, TheGuideNamesEveryOperationEveryFieldAndEveryProblem) {
  const std::string guide = textOfFile(QM_API_GUIDE);
  for (const std::string& route : routesOfTheHandlers()) {
    const std::string methodAndPath = route.substr(0, route.rfind(' '));
    EXPECT_NE(guide.find("`" + methodAndPath + "`"), std::string::npos) << methodAndPath;
  }
  for (const ProblemKind& kind : problemKinds()) {
    EXPECT_NE(guide.find("`" + std::string(kind.name) + "`"), std::string::npos) << kind.name;
  }
  for (const char* type : {"Recipe", "AcquireRequest", "RenewRequest", "ExecRequest", "Grant", "Reply", "ExecResult",
                           "InvokeRequest", "Invocation"}) {
    for (const std::string& field : membersOf(schema(type).at("properties").as_object())) {
      EXPECT_NE(guide.find("`" + field + "`"), std::string::npos) << type << "." << field;
    }
  }
}

}  // namespace
}  // namespace qm::rest
