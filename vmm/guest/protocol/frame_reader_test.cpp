#include "vmm/guest/protocol/frame_reader.h"

#include <algorithm>
#include <cstring>

#include <gtest/gtest.h>

#include "vmm/guest/protocol/limits.h"

namespace qm::agent {
namespace {

std::vector<std::byte> bytesOf(const std::vector<std::uint32_t>& numbers) {
  std::vector<std::byte> bytes(numbers.size() * sizeof(std::uint32_t));
  std::memcpy(bytes.data(), numbers.data(), bytes.size());
  return bytes;
}

void give(FrameReader& reader, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto room = reader.room();
    const std::size_t count = std::min(room.size(), bytes.size());
    std::ranges::copy(bytes.first(count), room.begin());
    reader.filled(count);
    bytes = bytes.subspan(count);
  }
}

std::size_t frontWords(const FrameReader& reader) {
  const auto front = reader.front().value();
  return front.has_value() ? front->size() : 0;
}

// One segment of one word, 7.
const std::vector<std::uint32_t> kOneWord{0, 1, 7, 0};

TEST(FrameReader, AMessageIsThereWithItsLastByteAndNotBefore) {
  const auto bytes = bytesOf(kOneWord);
  FrameReader reader;
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    give(reader, std::span(bytes).subspan(i, 1));
    EXPECT_EQ(frontWords(reader), 0U) << "after byte " << i;
  }
  give(reader, std::span(bytes).last(1));
  EXPECT_EQ(frontWords(reader), 2U);
}

TEST(FrameReader, MessagesThatArriveTogetherComeOneAfterTheOther) {
  FrameReader reader;
  auto both = bytesOf(kOneWord);
  const auto second = bytesOf({1, 1, 1, 0, 8, 0, 9, 0});  // two segments of one word each, table of two words
  both.insert(both.end(), second.begin(), second.end());
  give(reader, both);
  EXPECT_EQ(frontWords(reader), 2U);
  reader.drop();
  ASSERT_EQ(frontWords(reader), 4U);
  EXPECT_EQ(reader.front().value()->back(), 9U);
  reader.drop();
  EXPECT_EQ(frontWords(reader), 0U);
}

TEST(FrameReader, AMessageTooLongIsAnErrorByItsTableAlone) {
  FrameReader reader;
  give(reader, bytesOf({0, static_cast<std::uint32_t>(kMaxMessageBytes / 8)}));
  ASSERT_FALSE(reader.front().has_value());
  EXPECT_EQ(reader.front().error().remedy(), Remedy::giveUp);
}

TEST(FrameReader, TheLongestMessageThatIsTakenIsTaken) {
  FrameReader reader;
  give(reader, bytesOf({0, static_cast<std::uint32_t>(kMaxMessageBytes / 8 - 1)}));
  give(reader, std::vector<std::byte>(kMaxMessageBytes - 8));
  EXPECT_EQ(frontWords(reader), kMaxMessageBytes / 8);
}

TEST(FrameReader, TooManySegmentsAreAnErrorAlsoWhenTheirNumberOverflows) {
  for (const std::uint32_t lastSegment : {kMaxSegments, 0xffff'ffffU}) {
    FrameReader reader;
    give(reader, bytesOf({lastSegment, 0}));
    EXPECT_FALSE(reader.front().has_value()) << lastSegment;
  }
}

TEST(FrameReader, SegmentLengthsWhoseSumOverflows32BitsAreAnError) {
  FrameReader reader;
  give(reader, bytesOf({1, 0x8000'0000U, 0x8000'0000U, 0}));
  EXPECT_FALSE(reader.front().has_value());
}

}  // namespace
}  // namespace qm::agent
