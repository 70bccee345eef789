#include "api/daemon/vm/vmm_requests.h"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "api/daemon/vm/process_memory.h"
#include "api/daemon/vm/vm_folder.h"
#include "api/vmm/request/parse.h"

namespace qm {
namespace {

TEST(VmmRequests, ABootNamesEachPartInFirecrackersWordsAndStartsLast) {
  const auto requests = bootRequests({.kernel = "/k",
                                      .initrd = "/i",
                                      .drives = {{.id = "disk0", .image = "/a"}, {.id = "disk1", .image = "/b"}},
                                      .bootArguments = "quiet",
                                      .vcpus = 2,
                                      .memoryBytes = 64ULL << 20U,
                                      .cpuTemplate = "qm-v1"});
  std::vector<std::string> targets;
  for (const VmmRequest& request : requests) targets.push_back(request.target);
  EXPECT_EQ(targets, (std::vector<std::string>{"/machine-config", "/boot-source", "/drives/disk0", "/drives/disk1",
                                               "/vsock", "/entropy", "/actions"}));
  EXPECT_EQ(boost::json::parse(requests[0].body),
            (boost::json::value{{"vcpu_count", 2}, {"mem_size_mib", 64}, {"cpu_template", "qm-v1"}}));
  EXPECT_EQ(boost::json::parse(requests[2].body),
            (boost::json::value{
                {"drive_id", "disk0"}, {"path_on_host", "/a"}, {"is_root_device", true}, {"is_read_only", true}}));
  EXPECT_EQ(boost::json::parse(requests[4].body), (boost::json::value{{"guest_cid", 3}, {"uds_path", "vsock.sock"}}));
}

// What the VMM's own parser makes of it.
Result<vmm::Request> read(const VmmRequest& request) {
  return vmm::parseRequest(request.method, request.target, request.body);
}

TEST(VmmRequests, TheVmmUnderstandsEachAsItIsMeant) {
  const pool::DrivePlan drive{.id = "disk0", .image = "/a"};
  for (const VmmRequest& request : bootRequests({.kernel = "/k",
                                                 .initrd = "/i",
                                                 .drives = {drive},
                                                 .bootArguments = "quiet",
                                                 .memoryBytes = 64ULL << 20U,
                                                 .cpuTemplate = "qm-v1"})) {
    const auto parsed = read(request);
    EXPECT_TRUE(parsed.has_value()) << request.target << ": " << parsed.error().text();
  }
  const std::vector<VmmRequest> save = saveRequests();
  EXPECT_TRUE(std::holds_alternative<vmm::Pause>(read(save.at(0)).value()));
  EXPECT_EQ(std::get<vmm::CreateSnapshot>(read(save.at(1)).value()).state, kSavedStateName);
}

TEST(ProcessMemory, PrivateAndSharedAreSumsOfTheRollup) {
  const auto use = memoryFromRollup(
      "Rss:  100 kB\nShared_Clean:   8 kB\nShared_Dirty:   1 kB\nPrivate_Clean:  4 kB\nPrivate_Dirty: 16 kB\n");
  EXPECT_EQ(use.value(), (pool::MemoryUse{.privateBytes = 20 << 10, .sharedBytes = 9 << 10}));
  EXPECT_FALSE(memoryFromRollup("").has_value());
}

}  // namespace
}  // namespace qm
