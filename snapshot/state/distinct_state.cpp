#include "snapshot/state/distinct_state.h"

#include <random>
#include <string>

#include "snapshot/state/bounds.h"
#include "snapshot/state/cpu_fields.h"
#include "snapshot/state/device_fields.h"
#include "snapshot/state/irqchip_fields.h"
#include "vmm/memory/dirty_bitmap.h"
#include "vmm/memory/layout.h"

namespace qm::snapshot {

namespace {

class Filler {
 public:
  explicit Filler(std::uint64_t seed) : random_(seed) {}

  template <class Number>
  Number number() {
    if constexpr (std::is_same_v<Number, bool>) {
      return random_() % 2 != 0;
    } else {
      return static_cast<Number>(random_());
    }
  }
  template <class Struct>
  Struct fields() {
    Struct filled;
    forEachField<Struct>(
        [&](const auto& row) { filled.*row.member = number<std::remove_reference_t<decltype(filled.*row.member)>>(); });
    return filled;
  }
  template <class Container>
  void elements(Container& container) {
    for (auto& element : container) element = static_cast<typename Container::value_type>(number<std::uint64_t>());
  }
  template <class Octet>
  std::vector<Octet> octets(std::size_t count) {
    std::vector<Octet> made(count);
    elements(made);
    return made;
  }
  template <class Struct>
  std::vector<Struct> list(std::size_t count) {
    std::vector<Struct> made;
    while (made.size() < count) made.push_back(fields<Struct>());
    return made;
  }

 private:
  std::mt19937_64 random_;
};

Segment segment(Filler& fill) {
  auto made = fill.fields<Segment>();
  made.type %= 16;
  made.dpl %= 4;
  return made;
}

SystemRegisters systemRegisters(Filler& fill) {
  auto made = fill.fields<SystemRegisters>();
  for (Segment* each : {&made.cs, &made.ds, &made.es, &made.fs, &made.gs, &made.ss, &made.tr, &made.ldt}) {
    *each = segment(fill);
  }
  made.gdt = fill.fields<DescriptorTable>();
  made.idt = fill.fields<DescriptorTable>();
  return made;
}

CpuState cpu(Filler& fill, RunState runState) {
  auto made = fill.fields<CpuState>();
  made.runState = runState;
  made.cpuid = fill.list<CpuidEntry>(3);
  made.registers = fill.fields<Registers>();
  made.system = systemRegisters(fill);
  made.debug = fill.fields<DebugRegisters>();
  fill.elements(made.debug.db);
  made.extended.xcr0 = fill.number<std::uint64_t>();
  made.extended.area = fill.octets<std::byte>(kMinXsaveBytes + 256);  // 256: the upper halves of YMM0 to YMM15
  fill.elements(made.localApic.registers);
  made.msrs = fill.list<MsrValue>(3);
  for (std::uint32_t i = 0; i < made.msrs.size(); ++i) made.msrs[i].index = 0xc000'0080 + i;
  made.events = fill.fields<PendingEvents>();
  return made;
}

VmState vm(Filler& fill) {
  auto made = fill.fields<VmState>();
  made.primaryPic = fill.fields<Pic>();
  made.secondaryPic = fill.fields<Pic>();
  made.ioApic = fill.fields<IoApic>();
  fill.elements(made.ioApic.redirection);
  made.pit = fill.fields<Pit>();
  for (PitChannel& channel : made.pit.channels) channel = fill.fields<PitChannel>();
  made.clock = fill.fields<Clock>();
  return made;
}

std::vector<virtio::DeviceState> deviceKinds(Filler& fill) {
  auto block = fill.fields<virtio::BlockState>();
  block.id = "twenty bytes of name";
  virtio::NetState net;
  fill.elements(net.mac);
  auto vsock = fill.fields<virtio::VsockState>();
  vsock.kept = fill.list<virtio::VsockConnection>(1);
  vsock.toReset = fill.list<virtio::VsockPorts>(3);
  return {block, net, fill.fields<virtio::EntropyState>(), vsock};
}

std::vector<VirtioDeviceState> virtioDevices(Filler& fill) {
  std::vector<VirtioDeviceState> made;
  for (const virtio::DeviceState& kind : deviceKinds(fill)) {
    auto device = fill.fields<VirtioDeviceState>();
    device.id = "device " + std::to_string(made.size());
    device.base = kMmioHoleStart + made.size() * kGuestPageBytes;
    device.transport = fill.fields<virtio::TransportState>();
    device.transport.queues = fill.list<virtio::QueueState>(2);
    device.device = kind;
    made.push_back(device);
  }
  return made;
}

}  // namespace

MachineState distinctState(std::uint64_t seed) {
  Filler fill(seed);
  MachineState made;
  made.memoryBytes = (seed % 64 + 1) * kGuestPageBytes;
  made.cpuTemplate = "a template";
  made.hypervisor = "a hypervisor";
  made.cpus = {cpu(fill, RunState::halted), cpu(fill, RunState::initReceived)};
  made.vm = vm(fill);
  made.serial = fill.fields<SerialState>();
  made.serial.received = fill.octets<std::uint8_t>(3);
  made.i8042 = fill.fields<I8042State>();
  made.i8042.output = fill.octets<std::uint8_t>(2);
  made.virtioDevices = virtioDevices(fill);
  return made;
}

MachineState smallState() {
  MachineState made;
  made.memoryBytes = kGuestPageBytes;
  made.cpuTemplate = "qm-v1";
  made.hypervisor = "none";
  made.cpus.resize(1);
  made.cpus[0].extended.area.resize(kMinXsaveBytes);
  return made;
}

}  // namespace qm::snapshot
