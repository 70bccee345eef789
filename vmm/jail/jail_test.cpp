#include "vmm/jail/jail.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vmm/jail/jail_probe.h"
#include "vmm/os/copy.h"

namespace qm {
namespace {

using testing::HasSubstr;

JailPlan planOf(std::vector<ReadOnlyBind> readOnly) {
  return {.folder = "/srv/vm-1", .readOnly = std::move(readOnly), .devices = {}};
}

TEST(JailPlan, APathThatClimbsIsTheCallersToFix) {
  for (const char* path : {"/a/../b", "a", "/a/", "/a/./b", "/", "", "/a//b"}) {
    const Status checked = check(planOf({{.host = path, .inside = "/image"}}));
    ASSERT_FALSE(checked.has_value()) << path;
    EXPECT_EQ(checked.error().remedy(), Remedy::fixInput);
    EXPECT_FALSE(check(planOf({{.host = "/image", .inside = path}})).has_value()) << path;
  }
}

TEST(JailPlan, TwoThingsAtOnePlaceAreRefused) {
  const Status twice = check(planOf({{.host = "/a", .inside = "/image"}, {.host = "/b", .inside = "/image"}}));
  EXPECT_EQ(twice.error().text(), "two things of a jail are at /image");
  EXPECT_FALSE(check(planOf({{.host = "/a", .inside = kFolderInside}})).has_value());
  EXPECT_EQ(check(planOf({{.host = "/a", .inside = "/vm/a"}})).error().text(),
            "in a jail nothing is put into the VM's folder: /vm/a");
}

TEST(RunInCopy, AFailureOfTheCopyIsToldHereWithItsRemedy) {
  const Result<Process> copy = runInCopy(
      {}, [](FileDescriptor&) -> Status { return Error(Remedy::fixInput, "no such thing").during("looking"); },
      std::chrono::seconds(5));
  ASSERT_FALSE(copy.has_value());
  EXPECT_EQ(copy.error().text(), "looking: no such thing");
  EXPECT_EQ(copy.error().remedy(), Remedy::fixInput);
}

TEST(RunInCopy, ACopyThatHangsIsEnded) {
  const Result<Process> copy = runInCopy(
      {},
      [](FileDescriptor&) -> Status {
        for (;;) ::pause();
      },
      std::chrono::milliseconds(20));
  ASSERT_FALSE(copy.has_value());
  EXPECT_EQ(copy.error().remedy(), Remedy::retry);
}

TEST(JailProbe, EachPartThatFailsSaysWhatToDo) {
  const JailSupport support = probeJail();
  EXPECT_GE(support.parts.size(), 8U);
  for (const JailPart& part : support.parts) EXPECT_EQ(part.works, part.remedy.empty()) << part.name;
}

TEST(JailProbe, ARefusalOfANamespaceNamesTheWayOut) {
  EXPECT_THAT(remedyOf(Namespace::pid, EPERM), HasSubstr("as root"));
  EXPECT_THAT(remedyOf(Namespace::user, EPERM), HasSubstr("kernel.unprivileged_userns_clone=1"));
  EXPECT_THAT(remedyOf(Namespace::network, ENOSPC), HasSubstr("user.max_"));
}

}  // namespace
}  // namespace qm
