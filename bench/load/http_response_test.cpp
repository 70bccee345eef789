#include "bench/load/http_response.h"

#include <gtest/gtest.h>

namespace qm::bench {
namespace {

constexpr std::string_view kGrant = "HTTP/1.1 201 Created\r\nServer: x\r\ncontent-LENGTH: 5\r\n\r\nhello";

TEST(HttpResponse, IsReadWholeHoweverItIsCut) {
  for (std::size_t cut = 1; cut < kGrant.size(); ++cut) {
    HttpResponse response;
    const auto first = response.take(kGrant.substr(0, cut)), second = response.take(kGrant.substr(cut));
    ASSERT_TRUE(first.has_value() && second.has_value()) << cut;
    EXPECT_EQ(*first, Progress::partial);
    EXPECT_EQ(*second, Progress::complete);
    EXPECT_EQ(response.status(), 201);
    EXPECT_EQ(response.body(), "hello");
  }
}

TEST(HttpResponse, WithoutContentIsCompleteWithItsHead) {
  HttpResponse response;
  EXPECT_EQ(response.take("HTTP/1.1 204 No Content\r\n\r\n").value(), Progress::complete);
  EXPECT_TRUE(response.keepsConnection());
  EXPECT_EQ(response.body(), "");
}

TEST(HttpResponse, SaysWhenTheConnectionEnds) {
  HttpResponse response;
  EXPECT_TRUE(response.take("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").has_value());
  EXPECT_FALSE(response.keepsConnection());
}

TEST(HttpResponse, ServesAgainAfterReset) {
  HttpResponse response;
  EXPECT_TRUE(response.take(kGrant).has_value());
  response.reset();
  EXPECT_EQ(response.take("HTTP/1.1 204 No Content\r\n\r\n").value(), Progress::complete);
  EXPECT_EQ(response.status(), 204);
}

TEST(HttpResponse, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"SSH-2.0-x\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab",
        "HTTP/1.1 \r\n\r\n"})
    EXPECT_FALSE(HttpResponse().take(text).has_value()) << text;
}

TEST(HttpResponse, AHeadThatDoesNotEndIsRefused) {
  EXPECT_FALSE(HttpResponse().take(std::string(20'000, 'a')).has_value());
}

}  // namespace
}  // namespace qm::bench
