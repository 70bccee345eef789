#include "api/daemon/rest/exec_json.h"

#include <gtest/gtest.h>

#include "api/json/fields.h"

namespace qm::rest {
namespace {

Result<agent::Run> read(std::string_view text) {
  return runFromJson(parseJson(text).value());
}

TEST(ExecJson, ACommandHasItsEnvironmentItsInputAndItsLimits) {
  const agent::Run run = read(R"({"argv":["/bin/cat","-"],"env":{"LANG":"C","EMPTY":""},"cwd":"/tmp",
                                  "stdin":{"base64":"AP8="},"timeout_ms":1500,"user":"nobody","output_limit":10})")
                             .value();
  EXPECT_EQ(run.argv, (std::vector<std::string>{"/bin/cat", "-"}));
  EXPECT_EQ(run.env, (std::vector<std::string>{"LANG=C", "EMPTY="}));
  EXPECT_EQ(run.stdin, (std::vector{std::byte{0x00}, std::byte{0xff}}));
  EXPECT_EQ(run.cwd, "/tmp");
  EXPECT_EQ(run.timeoutMs, 1500U);
  EXPECT_EQ(run.user, "nobody");
  EXPECT_EQ(run.outputLimit, 10U);
}

TEST(ExecJson, WhatMakesNoCommandIsRefusedByName) {
  EXPECT_EQ(read("{}").error().text(), "\"argv\" must name a program");
  EXPECT_EQ(read(R"({"argv":["a"],"env":{"A=B":"c"}})").error().text(),
            "\"env\" has a name that is empty or holds '=' or NUL");
  EXPECT_EQ(read(R"({"argv":["a"],"stdin":7})").error().text(),
            "stdin: bytes are a string or an object {\"base64\": \"…\"}");
  EXPECT_FALSE(read(R"({"argv":["a"],"shell":true})").has_value());
}

TEST(ExecJson, OutputThatIsNoUtf8ComesAsBase64) {
  const boost::json::object shown =
      toJson(agent::Ran{.exitCode = 3, .out = {std::byte{0xfe}}, .err = {std::byte{'!'}}});
  EXPECT_EQ(shown.at("exit_code"), 3);
  EXPECT_EQ(shown.at("stdout").at("base64"), "/g==");
  EXPECT_EQ(shown.at("stderr"), "!");
}

}  // namespace
}  // namespace qm::rest
