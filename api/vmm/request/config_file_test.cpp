#include "api/vmm/request/config_file.h"

#include <gtest/gtest.h>

namespace qm::vmm {
namespace {

TEST(ConfigFile, EachPartIsARequest) {
  const auto requests = readConfigFile(R"({
      "boot-source": {"kernel_image_path": "k", "boot_args": "quiet"},
      "machine-config": {"vcpu_count": 2, "mem_size_mib": 256},
      "drives": [{"drive_id": "a", "path_on_host": "d", "is_root_device": false}],
      "network-interfaces": [{"iface_id": "eth0", "host_dev_name": "tap0"}],
      "vsock": {"guest_cid": 4, "uds_path": "v"},
      "entropy": {}})");
  ASSERT_TRUE(requests.has_value()) << requests.error().text();
  EXPECT_EQ(*requests,
            (std::vector<Request>{BootFiles{.kernel = "k", .initrd = {}, .bootArguments = "quiet"},
                                  MachineShape{.vcpus = 2, .memoryMib = 256}, BlockConfig{.id = "a", .path = "d"},
                                  NetConfig{.id = "eth0", .tap = "tap0", .mac = {}},
                                  VsockConfig{.guestCid = 4, .socketPath = "v"}, AddEntropy{}}));
}

TEST(ConfigFile, AWrongPartIsNamed) {
  EXPECT_EQ(readConfigFile("{}").error().text(), "the field \"boot-source\" is missing");
  EXPECT_EQ(readConfigFile(R"({"boot-source":{"kernel_image_path":"k"},"drives":{}})").error().text(),
            "\"drives\" must be an array");
  EXPECT_EQ(readConfigFile(R"({"boot-source":{}})").error().text(),
            "boot-source: the field \"kernel_image_path\" is missing");
  EXPECT_TRUE(readConfigFile(R"({"boot-source":{"kernel_image_path":"k"},"balloon":{}})")
                  .error()
                  .text()
                  .starts_with("the field \"balloon\" is unknown"));
}

}  // namespace
}  // namespace qm::vmm
