#include "api/daemon/rest/problem.h"

#include <set>
#include <string>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace qm::rest {
namespace {

TEST(Problem, TheDocumentHasEveryMemberThatIsPromised) {
  const Response response = respond({.code = ProblemCode::noSuchTemplate, .detail = "there is no template \"helo\""});
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.contentType, "application/problem+json");
  const boost::json::value document = boost::json::parse(response.body);
  EXPECT_EQ(document.at("type"), "urn:quickmatch:problem:no-such-template");
  EXPECT_EQ(document.at("status"), 404);
  EXPECT_EQ(document.at("code"), "no-such-template");
  EXPECT_EQ(document.at("detail"), "there is no template \"helo\"");
  for (const char* member : {"title", "cause", "remedy"}) EXPECT_FALSE(document.at(member).as_string().empty());
}

TEST(Problem, AnErrorsRemedyChoosesTheCode) {
  const Error boot(Remedy::giveUp, "the guest's agent closed the connection");
  EXPECT_EQ(problemOf(Error(Remedy::fixInput, "x"), "d").code, ProblemCode::notAccepted);
  EXPECT_EQ(problemOf(Error(Remedy::retry, "x"), "d").code, ProblemCode::shortOfResources);
  EXPECT_EQ(problemOf(boot, "d").code, ProblemCode::internal);
  EXPECT_EQ(problemOf(boot, "d", ProblemCode::guestFailed).code, ProblemCode::guestFailed);
  EXPECT_EQ(problemOf(boot, "d").cause, "the guest's agent closed the connection");
}

TEST(Problem, EveryKindHasItsOwnNameAndARemedyThatIsASentence) {
  std::set<std::string_view> names;
  for (const ProblemKind& kind : problemKinds()) {
    EXPECT_TRUE(names.insert(kind.name).second) << kind.name;
    EXPECT_TRUE(kind.remedy.ends_with('.')) << kind.name;
    EXPECT_EQ(&kindOf(kind.code), &kind);
  }
}

TEST(Problem, WhatMayBeTriedAgainSaysWhen) {
  const Response response = respond({.code = ProblemCode::shortOfResources, .detail = "no memory"});
  ASSERT_EQ(response.headers.size(), 1U);
  EXPECT_EQ(response.headers[0].first, "Retry-After");
}

}  // namespace
}  // namespace qm::rest
