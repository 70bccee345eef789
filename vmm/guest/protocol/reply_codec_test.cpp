#include "vmm/guest/protocol/reply_codec.h"

#include <cstring>

#include <gtest/gtest.h>

#include "vmm/guest/protocol/limits.h"

namespace qm::agent {
namespace {

std::vector<std::uint64_t> encoded(const Reply& reply) {
  const auto bytes = encodeReply(reply).value();
  std::vector<std::uint64_t> words(bytes.size() / sizeof(std::uint64_t));
  std::memcpy(words.data(), bytes.data(), bytes.size());
  return words;
}

Ran fullRan() {
  return {.exitCode = 3,
          .signal = 9,
          .out = {std::byte{1}},
          .err = {std::byte{2}, std::byte{0}},
          .timedOut = true,
          .outTruncated = true,
          .errTruncated = true,
          .durationUs = 77};
}

TEST(ReplyCodec, EveryKindComesBackAsItWas) {
  const Reply replies[] = {
      {.id = 1, .body = Pong{.nonce = 1, .guestNonce = ~std::uint64_t{0}, .handledUs = 3}},
      {.id = 2,
       .body = Renewed{.guestNonce = 5, .hooks = {{.exitCode = 0}, {.exitCode = 0, .signal = 15}}, .nonce = 6}},
      {.id = 3, .body = fullRan()},
      {.id = 4, .body = Stopping{}},
      {.id = 5, .body = Refusal{.remedy = Remedy::retry, .text = "busy"}}};
  for (const Reply& reply : replies) EXPECT_EQ(decodeReply(encoded(reply)).value(), reply);
}

TEST(ReplyCodec, EveryRemedyComesBackAsItWas) {
  for (const Remedy remedy : {Remedy::retry, Remedy::fixInput, Remedy::giveUp}) {
    const Reply reply{.id = 1, .body = Refusal{.remedy = remedy, .text = "no"}};
    EXPECT_EQ(decodeReply(encoded(reply)).value(), reply);
  }
}

TEST(ReplyCodec, OutputAtItsLimitFitsInOneMessage) {
  Ran ran = fullRan();
  ran.out.resize(kMaxOutputBytes);
  ran.err.resize(kMaxOutputBytes);
  EXPECT_EQ(decodeReply(encoded({.id = 1, .body = ran})).value(), (Reply{.id = 1, .body = ran}));
}

TEST(ReplyCodec, ValuesOutOfRangeAreNoFaultOfTheCaller) {
  Ran ran = fullRan();
  ran.exitCode = 256;
  const auto decoded = decodeReply(encoded({.id = 1, .body = ran}));
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error().remedy(), Remedy::giveUp);
}

TEST(ReplyCodec, ALongRefusalIsCut) {
  const auto decoded = decodeReply(encoded({.id = 1, .body = Refusal{.text = std::string(kMaxRefusalBytes * 2, 'x')}}));
  EXPECT_EQ(std::get<Refusal>(decoded.value().body).text.size(), kMaxRefusalBytes);
}

TEST(ReplyCodec, AFlippedBitIsAnErrorOrAReplyButNeverACrash) {
  const auto words = encoded({.id = 2, .body = fullRan()});
  for (std::size_t bit = 64; bit < words.size() * 64; ++bit) {
    auto flipped = words;
    flipped[bit / 64] ^= std::uint64_t{1} << (bit % 64);
    const auto decoded = decodeReply(flipped);
    if (!decoded.has_value()) {
      EXPECT_EQ(decoded.error().remedy(), Remedy::giveUp);
    }
  }
}

}  // namespace
}  // namespace qm::agent
