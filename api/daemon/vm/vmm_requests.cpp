#include "api/daemon/vm/vmm_requests.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "api/daemon/vm/vm_folder.h"
#include "vmm/network/slot_address.h"

namespace qm {

namespace {

using boost::json::object;

// Each VM has a vsock device of its own, so the number need not differ.
constexpr std::uint32_t kGuestCid = 3;

VmmRequest put(std::string target, const object& body) {
  return {.method = "PUT", .target = std::move(target), .body = boost::json::serialize(body)};
}

VmmRequest bootSource(const pool::BootPlan& plan) {
  object body{{"kernel_image_path", plan.kernel.native()}};
  // Without any the VMM has its own.
  if (!plan.bootArguments.empty()) body["boot_args"] = plan.bootArguments;
  if (!plan.initrd.empty()) body["initrd_path"] = plan.initrd.native();
  return put("/boot-source", body);
}

VmmRequest drive(const pool::DrivePlan& plan, bool isRoot) {
  return put("/drives/" + plan.id, {{"drive_id", plan.id},
                                    {"path_on_host", plan.image.native()},
                                    {"is_root_device", isRoot},
                                    {"is_read_only", true}});
}

}  // namespace

std::vector<VmmRequest> bootRequests(const pool::BootPlan& plan) {
  std::vector<VmmRequest> requests;
  requests.push_back(
      put("/machine-config",
          {{"vcpu_count", plan.vcpus}, {"mem_size_mib", plan.memoryBytes >> 20U}, {"cpu_template", plan.cpuTemplate}}));
  requests.push_back(bootSource(plan));
  for (const pool::DrivePlan& one : plan.drives) requests.push_back(drive(one, &one == &plan.drives.front()));
  requests.push_back(put("/vsock", {{"guest_cid", kGuestCid}, {"uds_path", kVsockName}}));
  requests.push_back(put("/entropy", {}));
  requests.push_back(put("/actions", {{"action_type", "InstanceStart"}}));
  return requests;
}

VmmRequest interfaceRequest() {
  return put(std::string("/network-interfaces/") + network::kInterfaceId, {{"iface_id", network::kInterfaceId},
                                                                           {"host_dev_name", "the one beside this"},
                                                                           {"guest_mac", network::kGuestMacText}});
}

std::vector<VmmRequest> saveRequests() {
  return {{.method = "PATCH", .target = "/vm", .body = boost::json::serialize(object{{"state", "Paused"}})},
          put("/snapshot/create",
              {{"snapshot_path", kSavedStateName}, {"mem_file_path", kSavedMemoryName}, {"snapshot_type", "Full"}})};
}

}  // namespace qm
