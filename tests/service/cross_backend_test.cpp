// A guest that one backend saved goes on on the other, with what runs in it. Two halves, each run on each backend by
// the script `cross_backend`, which carries the files: $QM_CROSS_TO is where this run leaves its guests, $QM_CROSS_FROM
// where the other backend's are.
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/service/lone_vmm.h"

namespace qm::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::filesystem::path folderNamed(const char* variable) {
  const char* value = std::getenv(variable);
  EXPECT_NE(value, nullptr) << variable << " is not set: see tests/service/cross_backend";
  return value != nullptr ? value : "/nowhere";
}

std::string otherBackend() {
  return hypervisorUnderTest() == "kvm" ? "soft" : "kvm";
}

std::string said(agent::AgentClient& agent, const std::string& script) {
  const auto ran = agent.run({.argv = {"/bin/sh", "-c", script}, .timeoutMs = 60'000, .outputLimit = 4096},
                             std::chrono::steady_clock::now() + kPatience);
  EXPECT_TRUE(ran.has_value()) << ran.error().text();
  if (!ran.has_value()) return {};
  EXPECT_EQ(ran->exitCode, 0) << script;
  return {reinterpret_cast<const char*>(ran->out.data()), ran->out.size()};
}

// A guest and what goes on in it: a process that adds to a sum and writes it down, ten times a second.
struct Guest {
  const char* name;
  std::uint32_t memoryMib;
  const char* arguments;
  const char* disk;  // null: none
  const char* work;  // leaves "count sum" in /tmp/sum, each line whole
};

constexpr Guest kHello{.name = "hello",
                       .memoryMib = 64,
                       .arguments = "console=ttyS0 reboot=k panic=-1 quiet",
                       .disk = nullptr,
                       .work =
                           "(i=0 s=0; while :; do i=$((i+1)) s=$((s+i)); echo $i $s >/tmp/new; mv /tmp/new "
                           "/tmp/sum; sleep 0.1; done) >/dev/null 2>&1 </dev/null & sleep 0.5; cat /tmp/sum"};
// In floating point, so that there is something in its registers.
constexpr Guest kPython{.name = "python",
                        .memoryMib = 128,
                        .arguments = "console=ttyS0 reboot=k panic=-1 quiet qm.root=/dev/vda",
                        .disk = "python.ext4",
                        .work = R"(cat >/tmp/work.py <<'end'
import os, time
count, total = 0, 0.0
while True:
    count += 1
    total += float(count)
    with open('/tmp/new', 'w') as new:
        print(count, int(total), file=new)
    os.rename('/tmp/new', '/tmp/sum')
    time.sleep(0.1)
end
/usr/bin/python3 /tmp/work.py >/dev/null 2>&1 </dev/null &
while ! test -e /tmp/sum; do sleep 0.1; done; cat /tmp/sum)"};

class CrossBackend : public testing::TestWithParam<Guest> {
 protected:
  void SetUp() override {
    const char* disk = GetParam().disk;
    if (disk != nullptr && !std::filesystem::exists(imageProduct(disk))) GTEST_SKIP() << imageProduct(disk);
  }
  static void configure(LoneVmm& vmm, const Guest& guest, std::string_view cpuTemplate) {
    vmm.put("/machine-config",
            fmt::format(R"({{"vcpu_count":1,"mem_size_mib":{},"cpu_template":"{}"}})", guest.memoryMib, cpuTemplate));
    vmm.put("/boot-source",
            fmt::format(R"({{"kernel_image_path":"{}","initrd_path":"{}","boot_args":"{}"}})", kernelProduct().native(),
                        imageProduct("hello.cpio").native(), guest.arguments));
    if (guest.disk != nullptr) {
      vmm.put("/drives/disk", fmt::format(R"({{"drive_id":"disk","path_on_host":"{}","is_read_only":true,)"
                                          R"("is_root_device":false}})",
                                          imageProduct(guest.disk).native()));
    }
    vmm.put("/vsock", R"({"guest_cid":3,"uds_path":"vsock.sock"})");
    vmm.put("/entropy", "{}");
    vmm.put("/actions", R"({"action_type":"InstanceStart"})");
  }
  static void save(LoneVmm& vmm, const std::string& name) {
    const std::string at = (folderNamed("QM_CROSS_TO") / (hypervisorUnderTest() + "-" + name)).native();
    vmm.patch("/vm", R"({"state":"Paused"})");
    vmm.put("/snapshot/create", fmt::format(R"({{"snapshot_path":"{}.state","mem_file_path":"{}.memory"}})", at, at));
  }
  // For people, and for the file of results.
  static void record(const std::string& sentence) {
    RecordProperty("said", sentence);
    fmt::print("{}\n", sentence);
  }
  static std::string loadOther(const std::string& name) {
    const std::string at = (folderNamed("QM_CROSS_FROM") / (otherBackend() + "-" + name)).native();
    std::string request = loadRequest(at + ".state", at + ".memory");
    if (GetParam().disk == nullptr) return request;
    request.pop_back();
    return request + fmt::format(R"(,"drive_overrides":[{{"drive_id":"disk","path_on_host":"{}"}}]}})",
                                 imageProduct(GetParam().disk).native());
  }
};

TEST_P(CrossBackend, Saves) {
  LoneVmm vmm;
  configure(vmm, GetParam(), "qm-base");
  ASSERT_FALSE(HasFailure()) << "it does not run";
  agent::AgentClient agent = vmm.agent("vsock.sock");
  EXPECT_THAT(said(agent, GetParam().work), testing::MatchesRegex("[0-9]+ [0-9]+\n"));
  save(vmm, GetParam().name);
}

TEST_P(CrossBackend, GoesOnWithTheOthers) {
  LoneVmm vmm;
  vmm.put("/snapshot/load", loadOther(GetParam().name));
  ASSERT_FALSE(HasFailure()) << "the load is refused: no agent will answer";
  agent::AgentClient agent = vmm.agent("other.sock");
  long before = 0, count = 0, sum = 0;
  for (int look = 0; look < 3; ++look) {
    const std::string line = said(agent, "sleep 0.5; cat /tmp/sum");
    ASSERT_EQ(std::sscanf(line.c_str(), "%ld %ld", &count, &sum), 2) << line;
    EXPECT_GT(count, before) << "the process stands still";
    EXPECT_EQ(sum, count * (count + 1) / 2) << line;
    before = count;
  }
  record(fmt::format("{} saved by {} goes on by {}: {} {}", GetParam().name, otherBackend(), hypervisorUnderTest(),
                     count, sum));
}

INSTANTIATE_TEST_SUITE_P(All, CrossBackend, testing::Values(kHello, kPython),
                         [](const auto& info) { return std::string(info.param.name); });

class CrossBackendTemplate : public CrossBackend {};

TEST_P(CrossBackendTemplate, SavesOneBoundToThisCpu) {
  LoneVmm vmm;
  configure(vmm, GetParam(), "host");
  save(vmm, "host");
}

TEST_P(CrossBackendTemplate, RefusesTheOthersByTheNamesOfWhatThisCpuLacks) {
  LoneVmm vmm;
  const std::string sentence = vmm.fault("PUT", "/snapshot/load", loadOther("host"));
  EXPECT_THAT(sentence, StartsWith("Load snapshot error: "));
  EXPECT_THAT(sentence, HasSubstr("this host's CPU does not offer what the guest was started with: "));
  record(fmt::format("saved by {}, refused by {}: {}", otherBackend(), hypervisorUnderTest(), sentence));
}

INSTANTIATE_TEST_SUITE_P(Host, CrossBackendTemplate, testing::Values(kHello));

}  // namespace
}  // namespace qm::test
