#include "api/daemon/command_line.h"

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace qm {
namespace {

DaemonConfig configOf(std::vector<std::string> words) {
  words.insert(words.begin(), "quickmatchd");
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  const Environment environment = [](const char* name) {
    return std::string(std::string_view(name) == "HOME" ? "/home/nobody" : "");
  };
  const ParsedCommand parsed = parseDaemonCommand(static_cast<int>(pointers.size()), pointers.data(), environment);
  return parsed.command.value().config;
}

TEST(DaemonCommandLine, AnAddressIsTakenNoneOrAnEmptyOneIsNone) {
  EXPECT_EQ(configOf({}).listen, "127.0.0.1:8180");
  EXPECT_EQ(configOf({"--listen", "127.0.0.1:9"}).listen, "127.0.0.1:9");
  EXPECT_EQ(configOf({"--listen", "none"}).listen, "");
  EXPECT_EQ(configOf({"--listen", ""}).listen, "");
}

TEST(DaemonCommandLine, AFolderThatIsNamedTwiceIsShownOnce) {
  const auto folders = configOf({"--folder", "/srv/b", "--folder", "/srv/a", "--folder", "/srv/b"}).folders;
  EXPECT_EQ(folders, (std::vector<std::filesystem::path>{"/srv/b", "/srv/a"}));
}

}  // namespace
}  // namespace qm
