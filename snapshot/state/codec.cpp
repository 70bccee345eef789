#include "snapshot/state/codec.h"

#include <algorithm>
#include <cstring>
#include <functional>

#include <capnp/message.h>
#include <fmt/format.h>

#include "snapshot/schema/machine.capnp.h"
#include "snapshot/state/blob.h"
#include "snapshot/state/bounds.h"
#include "snapshot/state/cpu_codec.h"
#include "snapshot/state/device_codec.h"
#include "snapshot/state/envelope.h"
#include "snapshot/state/irqchip_codec.h"
#include "vmm/memory/dirty_bitmap.h"

namespace qm::snapshot {

namespace {

void store(const MachineState& state, schema::Machine::Builder to) {
  to.setMemoryBytes(state.memoryBytes);
  to.setCpuTemplate(textOf(state.cpuTemplate));
  to.setHypervisor(textOf(state.hypervisor));
  auto cpus = to.initCpus(static_cast<unsigned>(state.cpus.size()));
  for (unsigned i = 0; i < cpus.size(); ++i) storeCpu(state.cpus[i], cpus[i]);
  storeIrqchip(state.vm, to.initIrqchip());
  storeSerial(state.serial, to.initSerial());
  storeI8042(state.i8042, to.initI8042());
  auto devices = to.initVirtioDevices(static_cast<unsigned>(state.virtioDevices.size()));
  for (unsigned i = 0; i < devices.size(); ++i) storeVirtio(state.virtioDevices[i], devices[i]);
}

Result<std::uint64_t> loadMemoryBytes(schema::Machine::Reader from) {
  const std::uint64_t bytes = from.getMemoryBytes();
  if (bytes == 0 || bytes % kGuestPageBytes != 0 || bytes > kMaxMemoryBytes) {
    return stateRefused(fmt::format("{} bytes of memory, which is not a number of 4 KiB pages up to 1 TiB", bytes));
  }
  return bytes;
}

Result<std::vector<CpuState>> loadCpus(capnp::List<schema::Cpu>::Reader from) {
  TRY(checkCount("vCPUs", from.size(), 1, kMaxCpus));
  std::vector<CpuState> cpus;
  for (const auto cpu : from) cpus.push_back(TRY(loadCpu(cpu)));
  return cpus;
}

Result<std::vector<VirtioDeviceState>> loadDevices(capnp::List<schema::VirtioDevice>::Reader from) {
  TRY(checkCount("virtio devices", from.size(), 0, kMaxVirtioDevices));
  std::vector<VirtioDeviceState> devices;
  for (const auto device : from) devices.push_back(TRY(loadVirtio(device)));
  const auto isOutOfOrder = std::ranges::adjacent_find(devices, std::greater_equal(), &VirtioDeviceState::base);
  if (isOutOfOrder != devices.end()) {
    return stateRefused(fmt::format("the virtio device {} out of order", std::next(isOutOfOrder)->id));
  }
  return devices;
}

Result<MachineState> load(schema::Machine::Reader from) {
  MachineState state;
  state.memoryBytes = TRY(loadMemoryBytes(from));
  TRY(checkCount("bytes of CPU template name", from.getCpuTemplate().size(), 1, kMaxTemplateNameBytes));
  state.cpuTemplate = stringOf(from.getCpuTemplate());
  TRY(checkCount("bytes of hypervisor name", from.getHypervisor().size(), 0, kMaxNameBytes));
  state.hypervisor = stringOf(from.getHypervisor());
  state.cpus = TRY(loadCpus(from.getCpus()));
  state.vm = TRY(loadIrqchip(from.getIrqchip()));
  state.serial = TRY(loadSerial(from.getSerial()));
  state.i8042 = TRY(loadI8042(from.getI8042()));
  state.virtioDevices = TRY(loadDevices(from.getVirtioDevices()));
  return state;
}

// Canonical messages only: their pointers neither overlap nor loop, so that the work they cause is bounded by their
// length, and the same state has no second spelling.
Result<MachineState> decodeMessage(kj::ArrayPtr<const capnp::word> message) {
  const kj::ArrayPtr<const capnp::word> segments[] = {message};
  const capnp::ReaderOptions options{.traversalLimitInWords = 4 * message.size() + 1024, .nestingLimit = 16};
  capnp::SegmentArrayMessageReader reader(segments, options);
  if (!reader.isCanonical()) return stateRefused("a message that is not in canonical form");
  return load(reader.getRoot<schema::Machine>());
}

}  // namespace

std::vector<std::byte> encode(const MachineState& state) {
  capnp::MallocMessageBuilder builder;
  auto root = builder.initRoot<schema::Machine>();
  store(state, root);
  const kj::Array<capnp::word> message = capnp::canonicalize(root.asReader());
  const auto octets = message.asBytes();
  return seal(std::as_bytes(std::span(octets.begin(), octets.size())));
}

Result<MachineState> decode(std::span<const std::byte> bytes) {
  const auto payload = TRY(unseal(bytes));
  if (payload.size() % sizeof(capnp::word) != 0) return stateRefused("a message that is not made of 8-byte words");
  // A copy: Cap'n Proto wants its words aligned.
  auto message = kj::heapArray<capnp::word>(payload.size() / sizeof(capnp::word));
  std::memcpy(message.begin(), payload.data(), payload.size());
  try {
    return decodeMessage(message);
  } catch (const kj::Exception& exception) {
    return stateRefused(fmt::format("a malformed message ({})", exception.getDescription().cStr()));
  }
}

}  // namespace qm::snapshot
