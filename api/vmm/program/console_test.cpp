#include "api/vmm/program/console.h"

#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vmm/os/testing/temp_folder.h"

namespace qm::vmm {
namespace {

class ConsoleTest : public testing::Test {
 protected:
  static void say(Console& console, const std::string& text) {
    console.write(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  }
  Console consoleUpTo(std::uint64_t most) const { return {Console::openFile(file).value(), most}; }
  std::string text() const {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  test::TempFolder folder;
  std::filesystem::path file = folder.path() / "console.log";
};

TEST_F(ConsoleTest, WhatFitsIsThereAndTheRestIsLostInWords) {
  Console console = consoleUpTo(8);
  say(console, "hello");
  say(console, "world");
  const std::string full = text();
  EXPECT_THAT(full, testing::StartsWith("hellowor\n[quickmatch: the console's limit is reached"));
  say(console, "!");
  say(console, "and on");
  EXPECT_EQ(text(), full);
}

TEST_F(ConsoleTest, ALimitThatIsReachedToTheByteIsToldOnlyWhenMoreComes) {
  Console console = consoleUpTo(5);
  say(console, "hello");
  EXPECT_EQ(text(), "hello");
  say(console, "!");
  EXPECT_THAT(text(), testing::HasSubstr("limit is reached"));
}

TEST_F(ConsoleTest, AnEmptiedOneCountsFromNothing) {
  Console console = consoleUpTo(5);
  say(console, "too much");
  console.forget();
  say(console, "hello");
  EXPECT_EQ(text(), "hello");
}

TEST_F(ConsoleTest, WithoutALimitAllIsThere) {
  Console console = consoleUpTo(0);
  const std::string much(100'000, 'x');
  say(console, much);
  EXPECT_EQ(text(), much);
}

}  // namespace
}  // namespace qm::vmm
