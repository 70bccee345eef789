#include "vmm/guest/protocol/request_codec.h"

#include <cstring>

#include <gtest/gtest.h>

#include "vmm/guest/protocol/limits.h"

namespace qm::agent {
namespace {

std::vector<std::uint64_t> wordsOf(const std::vector<std::byte>& bytes) {
  std::vector<std::uint64_t> words(bytes.size() / sizeof(std::uint64_t));
  std::memcpy(words.data(), bytes.data(), bytes.size());
  return words;
}

Request throughTheWire(const Request& request) {
  return decodeRequest(wordsOf(encodeRequest(request).value())).value();
}

std::string refusalOf(const Request& request) {
  const Request decoded = throughTheWire(request);
  EXPECT_EQ(decoded.id, request.id);
  const auto* refusal = std::get_if<Refusal>(&decoded.body);
  return refusal == nullptr ? "" : refusal->text;
}

Renew fullRenew() {
  return {.entropy = std::vector<std::byte>(64, std::byte{0xa5}),
          .wallClockNs = 1'800'000'000'123'456'789,
          .hostname = "clone-17",
          .machineId = "0123456789abcdef0123456789abcdef",
          .mac = "02:00:00:00:00:01",
          .ip = "10.0.0.2/24",
          .gateway = "10.0.0.1",
          .cloneId = "c17",
          .hooks = {{"/bin/true"}, {"/bin/sh", "-c", "exit 0"}},
          .nonce = 0x1234'5678'9abc'def0};
}

Run fullRun() {
  return {.argv = {"/bin/cat", ""},
          .env = {"A=1", "B=x=y"},
          .cwd = "/tmp",
          .stdin = {std::byte{0}, std::byte{255}},
          .timeoutMs = 1500,
          .user = "nobody",
          .outputLimit = 4096};
}

TEST(RequestCodec, EveryKindComesBackAsItWas) {
  const Request requests[] = {{.id = 1, .body = Ping{.nonce = ~std::uint64_t{0}}},
                              {.id = 2, .body = fullRenew()},
                              {.id = 3, .body = fullRun()},
                              {.id = ~std::uint64_t{0}, .body = Stop{}}};
  for (const Request& request : requests) EXPECT_EQ(throughTheWire(request), request);
}

TEST(RequestCodec, AddressesThatAreNotGivenStayNotGiven) {
  Renew renew = fullRenew();
  renew.mac.reset();
  renew.ip.reset();
  renew.gateway.reset();
  EXPECT_EQ(throughTheWire({.id = 1, .body = renew}), (Request{.id = 1, .body = renew}));
}

TEST(RequestCodec, TooLittleEntropyIsRefused) {
  Renew renew = fullRenew();
  renew.entropy.resize(kMinEntropyBytes - 1);
  EXPECT_EQ(refusalOf({.id = 9, .body = renew}), "length of entropy is 31, not 32 to 4096");
}

TEST(RequestCodec, NamesThatThisMachineCannotBearAreRefused) {
  for (const char* hostname : {"", "a b", "a\n", "a/../b"}) {
    Renew renew = fullRenew();
    renew.hostname = hostname;
    EXPECT_NE(refusalOf({.id = 1, .body = renew}), "") << hostname;
  }
  Renew renew = fullRenew();
  renew.machineId[31] = 'X';
  EXPECT_NE(refusalOf({.id = 1, .body = renew}), "");
}

TEST(RequestCodec, ARunWithoutACommandOrWithANulIsRefused) {
  auto run = fullRun();
  run.argv = {};
  EXPECT_EQ(refusalOf({.id = 1, .body = run}), "number of argument is 0, not 1 to 4096");
  run.argv = {std::string("/bin/echo\0 x", 12)};
  EXPECT_EQ(refusalOf({.id = 1, .body = run}), "argument holds a NUL");
}

TEST(RequestCodec, AnEnvironmentVariableWithoutANameIsRefused) {
  for (const char* variable : {"", "=x", "NAME"}) {
    auto run = fullRun();
    run.env = {variable};
    EXPECT_NE(refusalOf({.id = 1, .body = run}), "") << variable;
  }
}

TEST(RequestCodec, AnOutputLimitThatNoReplyCouldHoldIsRefused) {
  auto run = fullRun();
  run.outputLimit = kMaxOutputBytes + 1;
  EXPECT_NE(refusalOf({.id = 1, .body = run}), "");
}

TEST(RequestCodec, AnotherProtocolNumberIsRefusedWithBothNumbers) {
  auto words = wordsOf(encodeRequest({.id = 5, .body = Ping{}}).value());
  // Table, root pointer, then the struct's first word, whose low 16 bits are the protocol.
  words[2] = (words[2] & ~std::uint64_t{0xffff}) | 2;
  const Request decoded = decodeRequest(words).value();
  EXPECT_EQ(decoded.id, 5U);
  EXPECT_EQ(std::get<Refusal>(decoded.body).text, "the agent speaks protocol 1, not 2");
}

TEST(RequestCodec, AMessageLargerThanMessagesMayBeIsNotMade) {
  auto run = fullRun();
  run.stdin.resize(kMaxMessageBytes);
  const auto encoded = encodeRequest({.id = 1, .body = run});
  ASSERT_FALSE(encoded.has_value());
  EXPECT_EQ(encoded.error().remedy(), Remedy::fixInput);
}

TEST(RequestCodec, AFlippedBitIsAnErrorOrARequestButNeverACrash) {
  const auto words = wordsOf(encodeRequest({.id = 2, .body = fullRenew()}).value());
  for (std::size_t bit = 64; bit < words.size() * 64; ++bit) {
    auto flipped = words;
    flipped[bit / 64] ^= std::uint64_t{1} << (bit % 64);
    const auto decoded = decodeRequest(flipped);
    if (!decoded.has_value()) {
      EXPECT_EQ(decoded.error().remedy(), Remedy::giveUp);
    }
  }
}

TEST(RequestCodec, ACutMessageIsAnError) {
  const auto words = wordsOf(encodeRequest({.id = 2, .body = fullRun()}).value());
  for (std::size_t count = 0; count < words.size(); ++count) {
    EXPECT_FALSE(decodeRequest(std::span(words).first(count)).has_value()) << count;
  }
}

}  // namespace
}  // namespace qm::agent
