#include "api/vmm/control/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qm::vmm::control {
namespace {

using testing::HasSubstr;

Load everyField() {
  return {.state = 3,
          .memory = 2,
          .memoryHoles = {{.first = 100, .count = 300}},
          .disks = {{.id = "root", .file = 0}, {.id = "data", .file = 1}},
          .vsockPath = "vsock.sock",
          .observing = Observing::yes,
          .workingSet = {.written = {{.first = 0, .count = 2}, {.first = 7, .count = 1}},
                         .read = {{.first = 3, .count = 4}}},
          .taps = {{.id = "eth0", .file = 5}},
          .code = 4};
}

std::string refusalOf(const Load& load, std::size_t descriptors) {
  const auto decoded = decodeRequest(encode(Request{.id = 1, .body = load}), descriptors);
  return decoded.has_value() ? "" : decoded.error().text();
}

TEST(Control, WhatIsEncodedIsDecoded) {
  const Request ask{.id = 7, .body = Ask{.method = "PUT", .target = "/actions", .body = "{}"}};
  const Request load{.id = 8, .body = everyField()};
  const Request reset{.id = 6, .body = Reset{.load = everyField()}};
  const Request observe{.id = ~0ULL, .body = Observe{}};
  EXPECT_EQ(decodeRequest(encode(ask), 0).value(), ask);
  EXPECT_EQ(decodeRequest(encode(load), 6).value(), load);
  EXPECT_EQ(decodeRequest(encode(reset), 6).value(), reset);
  EXPECT_FALSE(decodeRequest(encode(reset), 5).has_value());
  EXPECT_EQ(decodeRequest(encode(observe), 2).value(), observe);
  const Request prepare{.id = 3, .body = Prepare{.memorySha256 = {std::byte{1}, std::byte{2}}}};
  EXPECT_EQ(decodeRequest(encode(prepare), 3).value(), prepare);
  EXPECT_FALSE(decodeRequest(encode(prepare), 2).has_value());
  const Reply reply{.id = 9, .answer = {.status = 400, .body = R"({"fault_message": "no"})"}};
  EXPECT_EQ(decodeReply(encode(reply)).value(), reply);
}

TEST(Control, AFileThatDidNotComeIsNotNamed) {
  EXPECT_EQ(refusalOf(everyField(), 6), "");
  EXPECT_THAT(refusalOf(everyField(), 5), HasSubstr("names file 5 and brings 5"));
  EXPECT_THAT(refusalOf(everyField(), 4), HasSubstr("names file 5 and brings 4"));
  EXPECT_THAT(refusalOf({.memory = 1}, 1), HasSubstr("names file 1"));
}

TEST(Control, RunsOfPagesAscendAndLieApart) {
  const auto runs = [](std::vector<PageRun> written) {
    return refusalOf({.workingSet = {.written = std::move(written)}}, 2);
  };
  EXPECT_EQ(runs({{.first = 0, .count = 1}, {.first = 2, .count = 1}}), "");
  EXPECT_THAT(runs({{.first = 0, .count = 0}}), HasSubstr("empty or overlap"));
  EXPECT_THAT(runs({{.first = 0, .count = 2}, {.first = 1, .count = 1}}), HasSubstr("empty or overlap"));
  EXPECT_THAT(runs({{.first = 0, .count = ~0U}, {.first = 5, .count = 1}}), HasSubstr("empty or overlap"));
  EXPECT_THAT(runs(std::vector<PageRun>(kMaxPageRuns + 1, {.first = 0, .count = 1})), HasSubstr("runs of pages"));
}

TEST(Control, WhatIsNoMessageIsRefused) {
  const std::vector<std::byte> reply = encode(Reply{.id = 1});
  EXPECT_FALSE(decodeRequest({}, 0).has_value());
  EXPECT_FALSE(decodeRequest(std::span(reply).first(reply.size() - 8), 0).has_value());
  EXPECT_FALSE(decodeReply(std::vector<std::byte>(64, std::byte{0xff})).has_value());
  EXPECT_FALSE(decodeReply(encode(Reply{.id = 1, .answer = {.status = 100}})).has_value());
  EXPECT_FALSE(decodeRequest(encode(Request{.id = 1, .body = Ask{.method = "", .target = "/"}}), 0).has_value());
  EXPECT_FALSE(decodeRequest(encode(Request{.id = 1, .body = Observe{}}), 0).has_value());
}

}  // namespace
}  // namespace qm::vmm::control
