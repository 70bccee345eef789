#include "api/vmm/request/bodies.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "api/json/fields.h"

namespace qm::vmm {

namespace {

using boost::json::value;
using Names = std::initializer_list<std::string_view>;

constexpr std::uint64_t kMaxVcpus = 8;
constexpr std::uint64_t kMaxMemoryMib = 1ULL << 20U;  // a tebibyte
constexpr std::uint64_t kLeastGuestCid = 3;           // 0 to 2 are taken (virtio 1.2, 5.10.4.1)

Error refused(std::string sentence) {
  return Error(Remedy::fixInput, std::move(sentence));
}

// Known to Firecracker, not offered here. Null, false and "None" mean that it is not asked for.
Status refuseUnoffered(Fields& fields, Names names) {
  for (const std::string_view name : names) {
    const value* found = fields.find(name);
    if (found == nullptr) continue;
    if (found->is_bool() && !found->get_bool()) continue;
    if (found->is_string() && found->get_string() == "None") continue;
    return refused(fmt::format("\"{}\" is not offered by this VMM; leave it out", name));
  }
  return {};
}

Result<std::string> choice(Fields& fields, std::string_view name, std::string_view otherwise, Names variants) {
  std::string chosen = TRY(fields.text(name, otherwise));
  if (std::ranges::find(variants, chosen) == variants.end())
    return refused(fmt::format("\"{}\" is \"{}\"; it may be {}", name, chosen, fmt::join(variants, " or ")));
  return chosen;
}

// Required and not empty.
Result<std::string> filled(Fields& fields, std::string_view name) {
  std::string text = TRY(fields.text(name));
  if (text.empty()) return refused(fmt::format("\"{}\" must not be empty", name));
  return text;
}

// Six pairs of hexadecimal digits between colons.
Result<std::array<std::uint8_t, 6>> readMac(std::string_view text) {
  const Error wrong = refused(fmt::format("\"guest_mac\" is \"{}\"; a MAC address is 06:00:ac:10:00:02, say", text));
  std::array<std::uint8_t, 6> mac{};
  if (text.size() != 3 * mac.size() - 1) return wrong;
  for (std::size_t i = 0; i < mac.size(); ++i) {
    const char* pair = text.data() + 3 * i;
    const auto read = std::from_chars(pair, pair + 2, mac[i], 16);
    if (read.ec != std::errc() || read.ptr != pair + 2) return wrong;
    if (i + 1 < mac.size() && pair[2] != ':') return wrong;
  }
  if ((mac[0] & 1U) != 0) return refused(fmt::format("\"guest_mac\" {} is a group's address", text));
  return mac;
}

// The elements of an array, each read by `read`; absent is empty.
template <class Read>
auto readEach(Fields& fields, std::string_view name, Read read)
    -> Result<std::vector<typename std::invoke_result_t<Read, Fields&>::value_type>> {
  std::vector<typename std::invoke_result_t<Read, Fields&>::value_type> elements;
  const value* array = fields.find(name);
  if (array == nullptr) return elements;
  if (!array->is_array()) return refused(fmt::format("\"{}\" must be an array", name));
  for (const value& element : array->get_array()) {
    Fields inner = TRY(Fields::of(element).during(name));
    elements.push_back(TRY(read(inner).during(name)));
    TRY(inner.finish().during(name));
  }
  return elements;
}

Result<BlockConfig> readDriveOverride(Fields& fields) {
  return BlockConfig{.id = TRY(filled(fields, "drive_id")), .path = TRY(filled(fields, "path_on_host"))};
}

Result<NetConfig> readNetOverride(Fields& fields) {
  return NetConfig{.id = TRY(filled(fields, "iface_id")), .tap = TRY(filled(fields, "host_dev_name")), .mac = {}};
}

Result<std::string> readVsockOverride(Fields& fields) {
  const value* body = fields.find("vsock_override");
  if (body == nullptr) return std::string{};
  Fields inner = TRY(Fields::of(*body).during("vsock_override"));
  std::string path = TRY(filled(inner, "uds_path").during("vsock_override"));
  TRY(inner.finish().during("vsock_override"));
  return path;
}

// Exactly one of mem_backend and, older, mem_file_path.
Result<std::string> readMemoryPath(Fields& fields) {
  const value* backend = fields.find("mem_backend");
  const bool asPath = fields.has("mem_file_path");
  if (backend != nullptr && asPath)
    return refused("too many fields: either `mem_backend` or `mem_file_path` exclusively is required");
  if (asPath) return filled(fields, "mem_file_path");
  if (backend == nullptr) return refused("missing field: either `mem_backend` or `mem_file_path` is required");
  Fields inner = TRY(Fields::of(*backend).during("mem_backend"));
  TRY(inner.text("backend_type").during("mem_backend"));
  TRY(choice(inner, "backend_type", "", {"File"}).during("mem_backend"));
  std::string path = TRY(filled(inner, "backend_path").during("mem_backend"));
  TRY(inner.finish().during("mem_backend"));
  return path;
}

}  // namespace

Status checkId(std::string_view id) {
  const auto isFine = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  if (id.empty()) return refused("The ID cannot be empty.");
  if (!std::ranges::all_of(id, isFine))
    return refused("API Resource IDs can only contain alphanumeric characters and underscores.");
  return {};
}

Result<MachineShape> readShape(const value& body) {
  Fields fields = TRY(Fields::of(body));
  MachineShape shape;
  shape.vcpus = static_cast<std::uint32_t>(TRY(fields.number("vcpu_count", {.least = 1, .most = kMaxVcpus})));
  shape.memoryMib = TRY(fields.number("mem_size_mib", {.least = 1, .most = kMaxMemoryMib}));
  shape.cpuTemplate = TRY(choice(fields, "cpu_template", kDefaultCpuTemplate, kCpuTemplates));
  TRY(refuseUnoffered(fields, {"smt", "track_dirty_pages", "huge_pages"}));
  TRY(fields.finish());
  return shape;
}

Result<BootFiles> readBootFiles(const value& body) {
  Fields fields = TRY(Fields::of(body));
  BootFiles files;
  files.kernel = TRY(filled(fields, "kernel_image_path"));
  if (fields.has("initrd_path")) files.initrd = TRY(filled(fields, "initrd_path"));
  if (fields.has("boot_args")) files.bootArguments = TRY(fields.text("boot_args"));
  TRY(fields.finish());
  return files;
}

Result<BlockConfig> readDrive(const value& body) {
  Fields fields = TRY(Fields::of(body));
  BlockConfig drive;
  drive.id = TRY(fields.text("drive_id"));
  TRY(checkId(drive.id));
  TRY(refuseUnoffered(fields, {"partuuid", "rate_limiter", "socket"}));
  drive.path = TRY(filled(fields, "path_on_host"));
  if (!fields.has("is_root_device")) return refused("the field \"is_root_device\" is missing");
  drive.isRoot = TRY(fields.boolean("is_root_device", false));
  drive.readOnly = TRY(fields.boolean("is_read_only", false));
  // What the guest flushes is flushed, whichever of the two is asked for.
  TRY(choice(fields, "cache_type", "Unsafe", {"Unsafe", "Writeback"}));
  TRY(choice(fields, "io_engine", "Sync", {"Sync"}));
  TRY(fields.finish());
  return drive;
}

Result<NetConfig> readNet(const value& body) {
  Fields fields = TRY(Fields::of(body));
  NetConfig net;
  net.id = TRY(fields.text("iface_id"));
  TRY(checkId(net.id));
  TRY(refuseUnoffered(fields, {"mtu", "rx_rate_limiter", "tx_rate_limiter"}));
  net.tap = TRY(filled(fields, "host_dev_name"));
  if (fields.has("guest_mac")) {
    const std::string mac = TRY(fields.text("guest_mac"));
    net.mac = TRY(readMac(mac));
  }
  TRY(fields.finish());
  return net;
}

Result<VsockConfig> readVsock(const value& body) {
  Fields fields = TRY(Fields::of(body));
  VsockConfig vsock;
  vsock.guestCid = TRY(fields.number("guest_cid", {.least = kLeastGuestCid, .most = UINT32_MAX - 1}));
  vsock.socketPath = TRY(filled(fields, "uds_path"));
  TRY(fields.text("vsock_id", ""));  // older Firecrackers wanted one
  TRY(fields.finish());
  return vsock;
}

Result<AddEntropy> readEntropy(const value& body) {
  Fields fields = TRY(Fields::of(body));
  TRY(refuseUnoffered(fields, {"rate_limiter"}));
  TRY(fields.finish());
  return AddEntropy{};
}

Result<Request> readAction(const value& body) {
  Fields fields = TRY(Fields::of(body));
  TRY(fields.text("action_type"));
  const std::string action = TRY(choice(fields, "action_type", "", {"InstanceStart", "SendCtrlAltDel"}));
  TRY(fields.finish());
  if (action == "InstanceStart") return Request(StartInstance{});
  return Request(PressCtrlAltDel{});
}

Result<Request> readRunState(const value& body) {
  Fields fields = TRY(Fields::of(body));
  TRY(fields.text("state"));
  const std::string state = TRY(choice(fields, "state", "", {"Paused", "Resumed"}));
  TRY(fields.finish());
  if (state == "Paused") return Request(Pause{});
  return Request(Resume{});
}

Result<CreateSnapshot> readCreateSnapshot(const value& body) {
  Fields fields = TRY(Fields::of(body));
  CreateSnapshot create;
  create.state = TRY(filled(fields, "snapshot_path"));
  create.memory = TRY(filled(fields, "mem_file_path"));
  TRY(choice(fields, "snapshot_type", "Full", {"Full"}));
  TRY(fields.finish());
  return create;
}

Result<LoadSnapshot> readLoadSnapshot(const value& body) {
  Fields fields = TRY(Fields::of(body));
  LoadSnapshot load;
  load.state = TRY(filled(fields, "snapshot_path"));
  load.memory = TRY(readMemoryPath(fields));
  load.resume = TRY(fields.boolean("resume_vm", false));
  load.devices.nets = TRY(readEach(fields, "network_overrides", readNetOverride));
  load.devices.blocks = TRY(readEach(fields, "drive_overrides", readDriveOverride));
  load.devices.vsockSocketPath = TRY(readVsockOverride(fields));
  TRY(choice(fields, "huge_pages", "Snapshot", {"Snapshot", "None"}));
  TRY(refuseUnoffered(fields, {"track_dirty_pages", "enable_diff_snapshots", "clock_realtime"}));
  TRY(fields.finish());
  return load;
}

}  // namespace qm::vmm
