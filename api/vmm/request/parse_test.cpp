#include "api/vmm/request/parse.h"

#include <string>

#include <gtest/gtest.h>

namespace qm::vmm {
namespace {

template <class Wanted>
Wanted parsed(std::string_view method, std::string_view target, std::string_view body = {}) {
  const Result<Request> request = parseRequest(method, target, body);
  EXPECT_TRUE(request.has_value()) << request.error().text();
  EXPECT_TRUE(std::holds_alternative<Wanted>(*request));
  return std::get<Wanted>(*request);
}

std::string fault(std::string_view method, std::string_view target, std::string_view body = {}) {
  const Result<Request> request = parseRequest(method, target, body);
  EXPECT_FALSE(request.has_value());
  return request.has_value() ? "" : request.error().text();
}

constexpr const char* kJson = "An error occurred when deserializing the json body of a request: ";

TEST(ParseRequest, QuestionsHaveNoBody) {
  parsed<DescribeInstance>("GET", "/");
  parsed<DescribeVersion>("GET", "/version");
  parsed<DescribeShape>("GET", "/machine-config");
  parsed<DescribeTimes>("GET", "/qm/times");
  parsed<DescribeCounters>("GET", "/qm/counters");
  EXPECT_EQ(fault("GET", "/", "{}"), "GET request cannot have a body.");
}

TEST(ParseRequest, WhatIsChangedNeedsABody) {
  EXPECT_EQ(fault("PUT", "/boot-source"), "Empty PUT request.");
  EXPECT_EQ(fault("PATCH", "/vm"), "Empty PATCH request.");
}

TEST(ParseRequest, UnknownPathsAndMethodsAreNamed) {
  EXPECT_EQ(fault("PUT", "/foo", "{}"), "Invalid request method and/or path: PUT foo.");
  EXPECT_EQ(fault("DELETE", "/drives/a"), "Invalid request method and/or path: DELETE drives/a.");
  EXPECT_EQ(fault("GET", "/version/"), "Invalid request method and/or path: GET version/.");
  EXPECT_EQ(fault("GET", "/\xff\n"), "Invalid request method and/or path: GET ??.");
}

TEST(ParseRequest, MachineConfigHasRanges) {
  EXPECT_EQ(parsed<MachineShape>("PUT", "/machine-config",
                                 R"({"vcpu_count":4,"mem_size_mib":512,"cpu_template":"host","smt":false})"),
            (MachineShape{.vcpus = 4, .memoryMib = 512, .cpuTemplate = "host"}));
  EXPECT_EQ(fault("PUT", "/machine-config", R"({"vcpu_count":9,"mem_size_mib":512})"),
            std::string(kJson) + "\"vcpu_count\" must be a whole number from 1 to 8.");
  EXPECT_EQ(fault("PUT", "/machine-config", R"({"vcpu_count":"1","mem_size_mib":512})"),
            std::string(kJson) + "\"vcpu_count\" must be a whole number from 1 to 8.");
  EXPECT_EQ(fault("PUT", "/machine-config", R"({"vcpu_count":1})"),
            std::string(kJson) + "the field \"mem_size_mib\" is missing.");
  EXPECT_EQ(
      fault("PUT", "/machine-config", R"({"vcpu_count":1,"mem_size_mib":1,"cpu_template":"T2"})"),
      std::string(kJson) + "\"cpu_template\" is \"T2\"; it may be qm-v1 or qm-base or qm-v3 or qm-v3-sha or host.");
}

TEST(ParseRequest, WhatThisVmmDoesNotOfferIsRefusedByName) {
  EXPECT_EQ(fault("PUT", "/machine-config", R"({"vcpu_count":1,"mem_size_mib":1,"smt":true})"),
            std::string(kJson) + "\"smt\" is not offered by this VMM; leave it out.");
  EXPECT_EQ(fault("PUT", "/entropy", R"({"rate_limiter":{}})"),
            std::string(kJson) + "\"rate_limiter\" is not offered by this VMM; leave it out.");
  EXPECT_EQ(fault("PUT", "/snapshot/create", R"({"snapshot_path":"a","mem_file_path":"b","snapshot_type":"Diff"})"),
            std::string(kJson) + "\"snapshot_type\" is \"Diff\"; it may be Full.");
}

TEST(ParseRequest, UnknownFieldsAreErrors) {
  EXPECT_EQ(fault("PUT", "/vsock", R"({"guest_cid":3,"uds_path":"v","colour":1})"),
            std::string(kJson) + "the field \"colour\" is unknown; known are guest_cid, uds_path, vsock_id.");
  EXPECT_EQ(fault("PUT", "/entropy", "[]"), std::string(kJson) + "a JSON object is expected.");
  EXPECT_TRUE(fault("PUT", "/entropy", "{").starts_with(std::string(kJson) + "this is no JSON"));
}

TEST(ParseRequest, BootSourceMayLeaveArgumentsOut) {
  EXPECT_EQ(parsed<BootFiles>("PUT", "/boot-source", R"({"kernel_image_path":"k"})"),
            (BootFiles{.kernel = "k", .initrd = {}, .bootArguments = {}}));
  EXPECT_EQ(parsed<BootFiles>("PUT", "/boot-source", R"({"kernel_image_path":"k","initrd_path":"i","boot_args":""})"),
            (BootFiles{.kernel = "k", .initrd = "i", .bootArguments = ""}));
  EXPECT_EQ(fault("PUT", "/boot-source", R"({"kernel_image_path":""})"),
            std::string(kJson) + "\"kernel_image_path\" must not be empty.");
}

TEST(ParseRequest, ADriveIsNamedTwiceAlike) {
  EXPECT_EQ(parsed<BlockConfig>("PUT", "/drives/rootfs",
                                R"({"drive_id":"rootfs","path_on_host":"r","is_root_device":true,"is_read_only":true,
                                    "partuuid":null,"cache_type":"Unsafe","io_engine":"Sync"})"),
            (BlockConfig{.id = "rootfs", .path = "r", .readOnly = true, .isRoot = true}));
  EXPECT_EQ(fault("PUT", "/drives/a", R"({"drive_id":"b","path_on_host":"r","is_root_device":false})"),
            "The id from the path [a] does not match the id from the body [b]!");
  EXPECT_EQ(fault("PUT", "/drives/", R"({"drive_id":"","path_on_host":"r","is_root_device":false})"),
            "The ID cannot be empty.");
  EXPECT_EQ(fault("PUT", "/drives/a/b", R"({"drive_id":"a/b","path_on_host":"r","is_root_device":false})"),
            "API Resource IDs can only contain alphanumeric characters and underscores.");
  EXPECT_EQ(fault("PUT", "/drives/a", R"({"drive_id":"a","path_on_host":"r"})"),
            std::string(kJson) + "the field \"is_root_device\" is missing.");
}

TEST(ParseRequest, AMacIsSixPairs) {
  EXPECT_EQ(parsed<NetConfig>("PUT", "/network-interfaces/eth0",
                              R"({"iface_id":"eth0","host_dev_name":"tap0","guest_mac":"06:00:AC:10:00:02"})"),
            (NetConfig{.id = "eth0", .tap = "tap0", .mac = {{0x06, 0x00, 0xac, 0x10, 0x00, 0x02}}}));
  for (const char* mac : {"", "06:00:AC:10:00", "06:00:AC:10:00:0g", "06-00-AC-10-00-02", "01:00:5e:00:00:01",
                          "06:00:AC:10:00:02:03", "+6:00:AC:10:00:02"}) {
    const std::string body = R"({"iface_id":"e","host_dev_name":"t","guest_mac":")" + std::string(mac) + R"("})";
    EXPECT_TRUE(fault("PUT", "/network-interfaces/e", body).find("guest_mac") != std::string::npos) << mac;
  }
}

TEST(ParseRequest, TheVsocksCidBeginsAtThree) {
  EXPECT_EQ(parsed<VsockConfig>("PUT", "/vsock", R"({"guest_cid":3,"uds_path":"v.sock"})"),
            (VsockConfig{.guestCid = 3, .socketPath = "v.sock"}));
  EXPECT_EQ(fault("PUT", "/vsock", R"({"guest_cid":2,"uds_path":"v"})"),
            std::string(kJson) + "\"guest_cid\" must be a whole number from 3 to 4294967294.");
}

TEST(ParseRequest, ActionsAndStatesAreWords) {
  parsed<StartInstance>("PUT", "/actions", R"({"action_type":"InstanceStart"})");
  parsed<PressCtrlAltDel>("PUT", "/actions", R"({"action_type":"SendCtrlAltDel"})");
  parsed<Pause>("PATCH", "/vm", R"({"state":"Paused"})");
  parsed<Resume>("PATCH", "/vm", R"({"state":"Resumed"})");
  EXPECT_EQ(fault("PUT", "/actions", R"({"action_type":"Dance"})"),
            std::string(kJson) + "\"action_type\" is \"Dance\"; it may be InstanceStart or SendCtrlAltDel.");
  EXPECT_EQ(fault("PATCH", "/vm", "{}"), std::string(kJson) + "the field \"state\" is missing.");
}

TEST(ParseRequest, ASnapshotIsLoadedWithItsHostSide) {
  const auto load = parsed<LoadSnapshot>("PUT", "/snapshot/load", R"({
      "snapshot_path": "s", "mem_backend": {"backend_type": "File", "backend_path": "m"}, "resume_vm": true,
      "network_overrides": [{"iface_id": "eth0", "host_dev_name": "tap1"}], "vsock_override": {"uds_path": "v"},
      "drive_overrides": [{"drive_id": "rootfs", "path_on_host": "r"}]})");
  EXPECT_EQ(load, (LoadSnapshot{.state = "s",
                                .memory = "m",
                                .resume = true,
                                .devices = {.blocks = {{.id = "rootfs", .path = "r"}},
                                            .nets = {{.id = "eth0", .tap = "tap1", .mac = {}}},
                                            .vsockSocketPath = "v"}}));
  EXPECT_EQ(parsed<LoadSnapshot>("PUT", "/snapshot/load", R"({"snapshot_path":"s","mem_file_path":"m"})").memory, "m");
}

TEST(ParseRequest, ASnapshotHasExactlyOneMemory) {
  EXPECT_EQ(fault("PUT", "/snapshot/load", R"({"snapshot_path":"s"})"),
            std::string(kJson) + "missing field: either `mem_backend` or `mem_file_path` is required.");
  EXPECT_EQ(
      fault("PUT", "/snapshot/load",
            R"({"snapshot_path":"s","mem_file_path":"m","mem_backend":{"backend_type":"File","backend_path":"m"}})"),
      std::string(kJson) + "too many fields: either `mem_backend` or `mem_file_path` exclusively is required.");
  EXPECT_EQ(fault("PUT", "/snapshot/load",
                  R"({"snapshot_path":"s","mem_backend":{"backend_type":"Uffd","backend_path":"m"}})"),
            std::string(kJson) + "mem_backend: \"backend_type\" is \"Uffd\"; it may be File.");
}

}  // namespace
}  // namespace qm::vmm
