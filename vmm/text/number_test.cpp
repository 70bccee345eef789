#include "vmm/text/number.h"

#include <cstdint>

#include <gtest/gtest.h>

namespace qm {
namespace {

TEST(Number, IsAllOfTheWord) {
  EXPECT_EQ(numberFrom<std::uint16_t>("65535"), 65535);
  EXPECT_EQ(numberFrom<int>("-3"), -3);
  EXPECT_EQ(numberFrom<std::uint8_t>("fF", 16), 255);
  for (const char* word : {"", " 1", "1 ", "+1", "0x1", "-1", "1.5", "65536"})
    EXPECT_EQ(numberFrom<std::uint16_t>(word), std::nullopt) << word;
}

}  // namespace
}  // namespace qm
