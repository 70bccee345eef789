#include "api/daemon/rest/template_json.h"

#include <gtest/gtest.h>

#include "api/json/fields.h"

namespace qm::rest {
namespace {

Result<pool::Recipe> read(std::string_view text) {
  return recipeFromJson("hello", parseJson(text).value());
}

TEST(TemplateJson, ANetworkIsNamedAndItsDestinationsAreHostsWithPorts) {
  EXPECT_EQ(read(R"({"kernel":"/k"})").value().network.kind, pool::NetworkKind::none);
  const pool::Recipe recipe = read(R"({"kernel":"/k","net":"slot","egress":["Example.org:443"]})").value();
  EXPECT_EQ(recipe.network.kind, pool::NetworkKind::slot);
  EXPECT_EQ(recipe.network.egress, (std::vector<pool::Destination>{{.host = "example.org", .port = 443}}));
  EXPECT_FALSE(read(R"({"kernel":"/k","net":"bridge"})").has_value());
  EXPECT_FALSE(read(R"({"kernel":"/k","net":"slot","egress":["example.org"]})").has_value());
  EXPECT_FALSE(read(R"({"kernel":"/k","egress":["example.org:443"]})").has_value()) << "without a network";
}

TEST(TemplateJson, WhatIsShownCanBePutAgain) {
  const pool::Recipe recipe = read(R"({"kernel":"/k","initrd":"/i","images":["/a","/b"],"boot_arguments":"quiet",
      "vcpus":2,"memory_mib":64,"warm_up":[["a","b"]],"hooks":{"before_snapshot":[["c"]],"after_restore":[["d"]]},
      "net":"slot","egress":["Example.org:443","192.0.2.7:80"],
      "limits":{"vmm_memory_mib":32,"cpu_percent":150},"pool_size":3,"reuse":"reset"})")
                                  .value();
  boost::json::object shown = toJson(recipe);
  shown.erase("name");
  EXPECT_EQ(recipeFromJson("hello", shown).value(), recipe);
  EXPECT_EQ(recipe.memoryBytes, 64ULL << 20U);
  EXPECT_EQ(recipe.limits, (pool::ResourceLimits{.vmmMemoryMib = 32, .cpuPercent = 150}));
  EXPECT_EQ(recipe.reuse, pool::Reuse::reset);
  EXPECT_EQ(recipe.afterRestore, (std::vector<pool::Command>{{"d"}}));
}

TEST(TemplateJson, OnlyTheKernelIsRequired) {
  EXPECT_TRUE(read(R"({"kernel":"/k"})").has_value());
  EXPECT_EQ(read("{}").error().text(), "the field \"kernel\" is missing");
}

TEST(TemplateJson, ALimitThatWouldEndEveryVmIsRefused) {
  EXPECT_EQ(read(R"({"kernel":"/k","limits":{"vmm_memory_mib":1}})").error().text(),
            "the VMM's memory is 1: give 16 to 65536 MiB");
  EXPECT_FALSE(read(R"({"kernel":"/k","limits":{"memory":1}})").has_value());
}

TEST(TemplateJson, UsedVmsAreDestroyedUnlessTheRecipeSaysReset) {
  EXPECT_EQ(read(R"({"kernel":"/k"})").value().reuse, pool::Reuse::destroy);
  EXPECT_EQ(read(R"({"kernel":"/k","reuse":"yes"})").error().text(),
            "\"reuse\" is \"yes\"; it may be destroy or reset");
}

TEST(TemplateJson, PathsAreAbsoluteBecauseTheDaemonsFolderIsNotTheClients) {
  EXPECT_EQ(read(R"({"kernel":"vmlinux"})").error().text(),
            "\"kernel\" must be an absolute path, which vmlinux is not");
}

TEST(TemplateJson, AHookThatIsMisspeltIsNotDroppedSilently) {
  EXPECT_EQ(read(R"({"kernel":"/k","hooks":{"after_resume":[["x"]]}})").error().text(),
            "hooks: the field \"after_resume\" is unknown; known are before_snapshot, after_restore");
}

TEST(TemplateJson, AnUnknownCpuTemplateIsRefusedBeforeAnythingIsBuilt) {
  EXPECT_EQ(read(R"({"kernel":"/k","cpu_template":"qm-base"})").value().cpuTemplate, "qm-base");
  EXPECT_EQ(read(R"({"kernel":"/k","cpu_template":"T2"})").error().text(),
            "\"cpu_template\" is \"T2\"; it may be qm-v1 or qm-base or qm-v3 or qm-v3-sha or host");
}

}  // namespace
}  // namespace qm::rest
