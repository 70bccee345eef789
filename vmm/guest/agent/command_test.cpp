#include "vmm/guest/agent/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qm::agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Command, ANameIsLookedForInEachFolderOfThePath) {
  EXPECT_THAT(executablesOf("ls", "/bin:/usr/bin"), ElementsAre("/bin/ls", "/usr/bin/ls"));
}

TEST(Command, AnEmptyFolderOfThePathIsTheWorkingDirectory) {
  EXPECT_THAT(executablesOf("ls", ":/bin:"), ElementsAre("./ls", "/bin/ls", "./ls"));
}

TEST(Command, ANameWithASlashIsTakenAsItIs) {
  EXPECT_THAT(executablesOf("./ls", "/bin"), ElementsAre("./ls"));
}

TEST(Command, AnEmptyNameIsNowhere) {
  EXPECT_THAT(executablesOf("", "/bin"), IsEmpty());
}

TEST(Command, AVariableTakesThePlaceOfItsNamesake) {
  EXPECT_THAT(overlaid({"A=1", "AB=2"}, {"A=3", "C=4", "C=5"}), ElementsAre("A=3", "AB=2", "C=5"));
}

}  // namespace
}  // namespace qm::agent
