#include "api/json/fields.h"

#include <gtest/gtest.h>

namespace qm {
namespace {

TEST(Fields, AnUnknownFieldIsRefusedAndTheKnownOnesAreNamed) {
  const boost::json::value body = parseJson(R"({"template":"hello","tll_seconds":5})").value();
  Fields fields = Fields::of(body).value();
  EXPECT_EQ(fields.text("template").value(), "hello");
  EXPECT_EQ(fields.number("ttl_seconds", {}, 60).value(), 60U);
  EXPECT_EQ(fields.finish().error().text(), "the field \"tll_seconds\" is unknown; known are template, ttl_seconds");
}

TEST(Fields, NumbersOutsideTheirRangeFractionsAndStringsAreRefused) {
  const boost::json::value body = parseJson(R"({"a":0,"b":2.5,"c":"3","d":-1})").value();
  Fields fields = Fields::of(body).value();
  for (const std::string_view name : {"a", "b", "c", "d"}) {
    EXPECT_EQ(fields.number(name, {.least = 1, .most = 9}).error().sentence(),
              "\"" + std::string(name) + "\" must be a whole number from 1 to 9");
  }
}

TEST(Fields, NullIsAsGoodAsAbsent) {
  const boost::json::value body = parseJson(R"({"cwd":null,"template":null})").value();
  Fields fields = Fields::of(body).value();
  EXPECT_EQ(fields.text("cwd", "/").value(), "/");
  EXPECT_EQ(fields.text("template").error().sentence(), "the field \"template\" is missing");
  EXPECT_TRUE(fields.finish().has_value());
}

TEST(Fields, ATextWithANulIsRefusedBeforeSomethingCutsIt) {
  const boost::json::value body = parseJson(R"({"path":"/images/a\u0000.ext4"})").value();
  Fields fields = Fields::of(body).value();
  EXPECT_FALSE(fields.text("path").has_value());
}

TEST(Fields, ListsAndMapsKeepTheirOrder) {
  const boost::json::value body = parseJson(R"({"warm_up":[["a","b"],["c"]],"env":{"Z":"1","A":"2"}})").value();
  Fields fields = Fields::of(body).value();
  EXPECT_EQ(fields.listsOfTexts("warm_up").value(), (std::vector<std::vector<std::string>>{{"a", "b"}, {"c"}}));
  EXPECT_EQ(fields.textByName("env").value(),
            (std::vector<std::pair<std::string, std::string>>{{"Z", "1"}, {"A", "2"}}));
}

TEST(ParseJson, DeepNestingAndBrokenTextAreSentences) {
  EXPECT_FALSE(parseJson(std::string(100'000, '[')).has_value());
  EXPECT_EQ(parseJson("{").error().remedy(), Remedy::fixInput);
}

}  // namespace
}  // namespace qm
