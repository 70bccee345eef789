// A client of the REST interface that expects answers, for tests.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include "api/client/http_client.h"

namespace qm::test {

// A lease as its tenant holds it.
struct Held {
  std::string path;  // "/v1/leases/ID"
  std::string token;
  std::string road;
};

class Asking {
 public:
  explicit Asking(const std::filesystem::path& socket) : client_(socket) {}

  // The answer, whatever it is.
  HttpAnswer answer(std::string_view method, std::string target, std::string body = {}, const std::string& token = {}) {
    HttpAsk question{.method = method, .target = std::move(target), .body = std::move(body)};
    if (!token.empty()) question.headers.emplace_back("Authorization", "Bearer " + token);
    const auto answer = client_.ask(question, std::chrono::steady_clock::now() + std::chrono::minutes(2));
    EXPECT_TRUE(answer.has_value()) << answer.error().text();
    return answer.value_or(HttpAnswer{});
  }
  // Its document, when it has the status that is expected.
  boost::json::value ask(std::string_view method, std::string target, std::uint16_t status, std::string body = {},
                         const std::string& token = {}) {
    const HttpAnswer got = answer(method, std::move(target), std::move(body), token);
    EXPECT_EQ(got.status, status) << got.body;
    return got.body.empty() ? boost::json::value() : boost::json::parse(got.body);
  }
  // By that road; tried again for a while, since a ready clone or a blank may be just on its way.
  Held acquire(const std::string& templateName, const std::string& road) {
    const std::string body = R"({"template":")" + templateName + R"(","wait_ms":5000,"road":")" + road + "\"}";
    HttpAnswer got;
    for (int attempt = 0; attempt < 10 && got.status != 201; ++attempt) {
      got = answer("POST", "/v1/leases", body);
      if (got.status != 201) std::this_thread::sleep_for(std::chrono::milliseconds(300));
    }
    EXPECT_EQ(got.status, 201) << got.body;
    const boost::json::value grant = boost::json::parse(got.body);
    return {.path = "/v1/leases/" + std::string(grant.at("id").as_string()),
            .token = std::string(grant.at("token").as_string()),
            .road = std::string(grant.at("road").as_string())};
  }
  boost::json::value exec(const Held& lease, std::string body) {
    return ask("POST", lease.path + "/exec", 200, std::move(body), lease.token);
  }

 private:
  HttpClient client_;
};

}  // namespace qm::test
