#include "api/vmm/script/input_script.h"

#include <gtest/gtest.h>

namespace qm::vmm::script {
namespace {

std::string refusal(std::string_view text) {
  const auto lines = readScript(text);
  return lines.has_value() ? "" : lines.error().text();
}

TEST(InputScriptText, EveryInputIsReadWithItsMomentAndItsLine) {
  const auto lines = readScript(
      "# a comment, and an empty line\n\n"
      "1 serial \"ls\\n\"  # behind it, too\n"
      "2 ctrl-alt-del\r\n"
      "\t3 vsock agent connect 5200\n"
      "3 vsock other connect 4294967295 \"a file\"\n"
      "4 vsock agent send hello\n"
      "5 vsock agent close\n"
      "6 snapshot state memory\n"
      "7 pause\n"
      "18446744073709551615 stop");
  ASSERT_TRUE(lines.has_value()) << lines.error().text();
  EXPECT_EQ(
      *lines,
      (std::vector<Line>{
          {.atNs = 1, .number = 3, .action = Type{"ls\n"}},
          {.atNs = 2, .number = 4, .action = PressCtrlAltDel{}},
          {.atNs = 3, .number = 5, .action = Connect{.name = "agent", .port = 5200, .received = {}}},
          {.atNs = 3, .number = 6, .action = Connect{.name = "other", .port = 4'294'967'295, .received = "a file"}},
          {.atNs = 4, .number = 7, .action = Send{.name = "agent", .bytes = "hello"}},
          {.atNs = 5, .number = 8, .action = Close{"agent"}},
          {.atNs = 6, .number = 9, .action = Save{.state = "state", .memory = "memory"}},
          {.atNs = 7, .number = 10, .action = Pause{}},
          {.atNs = ~std::uint64_t{0}, .number = 11, .action = Stop{}},
      }));
}

TEST(InputScriptText, AQuotedWordMayHaveAnyByte) {
  const auto lines = readScript(R"(1 serial "a \"b\" # \\ \n\r\t\0\x00\xfF")");
  ASSERT_TRUE(lines.has_value()) << lines.error().text();
  EXPECT_EQ(lines->at(0).action, Action(Type{std::string("a \"b\" # \\ \n\r\t\0\0\xff", 16)}));
}

TEST(InputScriptText, NoTextIsNoScript) {
  EXPECT_EQ(readScript("").value(), std::vector<Line>{});
  EXPECT_EQ(readScript("\n \n#\n").value(), std::vector<Line>{});
}

TEST(InputScriptText, ARefusalNamesTheLineAndSaysWhatToDo) {
  EXPECT_EQ(refusal("1 pause\nsoon pause"),
            "line 2: \"soon\" is no moment: a line begins with nanoseconds of guest time, a decimal number below 2^64");
  EXPECT_NE(refusal("-1 pause").find("is no moment"), std::string::npos);
  EXPECT_NE(refusal("18446744073709551616 pause").find("is no moment"), std::string::npos);
  EXPECT_NE(refusal("1").find("behind it comes the input's name"), std::string::npos);
  EXPECT_EQ(refusal("1 mouse"),
            "line 1: there is no input \"mouse\"; there are serial, ctrl-alt-del, vsock, snapshot, pause and stop");
  EXPECT_EQ(refusal("1 serial"), "line 1: it goes \"AT serial TEXT\"");
  EXPECT_EQ(refusal("1 pause now"), "line 1: it goes \"AT pause\"");
  EXPECT_NE(refusal("1 serial \"\"").find("0 bytes, not 1 to 64"), std::string::npos);
  EXPECT_NE(refusal("1 serial " + std::string(65, 'a')).find("type the rest later"), std::string::npos);
  EXPECT_NE(refusal("1 snapshot same same").find("two files"), std::string::npos);
}

TEST(InputScriptText, WordsThatAreNotWholeAreRefused) {
  EXPECT_NE(refusal("1 serial \"ls").find("not closed"), std::string::npos);
  EXPECT_NE(refusal("1 serial \"ls\\").find("not closed"), std::string::npos);
  EXPECT_NE(refusal("1 serial \"ls\"x").find("a space is missing"), std::string::npos);
  EXPECT_NE(refusal("1 serial l\"s").find("whole word in quotes"), std::string::npos);
  EXPECT_NE(refusal("1 serial \"\\q\"").find("there is no \\q"), std::string::npos);
  EXPECT_NE(refusal("1 serial \"\\x1\"").find("two hexadecimal digits"), std::string::npos);
  EXPECT_NE(refusal("1 serial \"\\x1g\"").find("two hexadecimal digits"), std::string::npos);
}

TEST(InputScriptText, MomentsDoNotGoBackAndNothingFollowsAStop) {
  EXPECT_EQ(refusal("5 pause\n\n4 pause"), "line 3: 4 is before line 1's 5: moments do not go back");
  EXPECT_EQ(refusal("5 stop\n6 pause"), "line 2: nothing happens after line 1's stop");
  EXPECT_NE(refusal("5 snapshot s m\n5 pause").find("is the last of its moment"), std::string::npos);
  EXPECT_EQ(refusal("5 pause\n5 snapshot s m\n6 pause"), "");
}

TEST(InputScriptText, AConnectionIsUsedBetweenItsConnectAndItsClose) {
  EXPECT_NE(refusal("1 vsock a send x").find("connect it first"), std::string::npos);
  EXPECT_NE(refusal("1 vsock a close").find("no open connection a"), std::string::npos);
  EXPECT_NE(refusal("1 vsock a connect 1\n1 vsock a connect 2").find("line 2: connection a is open"),
            std::string::npos);
  EXPECT_EQ(refusal("1 vsock a connect 1\n1 vsock a close\n1 vsock a connect 2"), "");
  EXPECT_NE(refusal("1 vsock a connect 4294967296").find("is no port"), std::string::npos);
  EXPECT_NE(refusal("1 vsock a/b connect 1").find("letters, digits"), std::string::npos);
  EXPECT_NE(refusal("1 vsock a listen 1").find("vsock NAME connect PORT"), std::string::npos);
}

}  // namespace
}  // namespace qm::vmm::script
