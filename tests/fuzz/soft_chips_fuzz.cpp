// Any guest and any devices against the interrupt controllers of the CPU in software. Nobody may be left with an
// interrupt that neither the hint nor onWork told of, what work() offers is what acknowledge() takes, and a machine
// that is saved and loaded is the same machine.
#include <array>
#include <cstring>
#include <memory>
#include <optional>

#include "tests/fuzz/fuzz_input.h"
#include "vmm/hypervisor/soft/chips/interrupt_fabric.h"
#include "vmm/result/check.h"

namespace {

using namespace qm;
using namespace qm::soft;

constexpr std::uint32_t kCpus = 3;
constexpr std::uint64_t kApicPage = 0xfee0'0000;

// A machine, and what each of its vCPUs knows.
class Machine {
 public:
  explicit Machine(std::uint32_t tscKhz) : fabric(PitModel::present, tscKhz) {
    for (std::uint32_t i = 0; i < kCpus; ++i) fabric.addCpu(i, {[this, i] { told_[i] = true; }});
  }

  // Looks as a vCPU does.
  void look(std::uint32_t index, std::uint64_t tsc) {
    const bool mayHaveWork = fabric.mayHaveWork(index, tsc);
    const bool mayHaveUnmaskable = fabric.hint(index).mayHaveUnmaskableWork();
    const std::optional<std::uint64_t> deadline = fabric.nextDeadline(index);
    const bool isDue = deadline && *deadline <= tsc;
    const CpuWork work = fabric.work(index, tsc);
    const bool isUnmaskable = work.nmi || work.init || work.sipi;
    CHECK(isUnmaskable == mayHaveUnmaskable);
    CHECK(mayHaveWork || work == CpuWork{});
    CHECK(!work.vector || knew_[index] || told_[index] || isDue);
    knew_[index] = work.vector.has_value();
    if (!work.vector && !isUnmaskable) told_[index] = false;
  }
  void acknowledge(std::uint32_t index, std::uint64_t tsc) {
    const std::optional<std::uint8_t> offered = fabric.work(index, tsc).vector;
    CHECK(fabric.acknowledge(index) == offered);
    knew_[index] = fabric.work(index, tsc).vector.has_value();
  }

  InterruptFabric fabric;

 private:
  std::array<bool, kCpus> knew_{}, told_{};
};

// The chips are compared from the second copy on: loading sends what nobody took before.
std::unique_ptr<Machine> copyOf(Machine& machine, std::uint32_t tscKhz, std::uint64_t tsc) {
  auto copy = std::make_unique<Machine>(tscKhz);
  for (std::uint32_t i = 0; i < kCpus; ++i) {
    const LocalApic page = machine.fabric.saveLocal(i, tsc);
    const std::uint64_t deadline = machine.fabric.tscDeadline(i, tsc);
    CHECK(copy->fabric.loadApicBase(i, machine.fabric.apicBase(i)));
    copy->fabric.loadLocal(i, page, tsc);
    copy->fabric.setTscDeadline(i, deadline, tsc);
    CHECK(copy->fabric.saveLocal(i, tsc) == page);
    CHECK(copy->fabric.tscDeadline(i, tsc) == deadline);
  }
  VmState state;
  machine.fabric.saveChips(state);
  copy->fabric.loadChips(state, tsc);
  return copy;
}

std::unique_ptr<Machine> reload(Machine& machine, std::uint32_t tscKhz, std::uint64_t tsc) {
  auto copy = copyOf(machine, tscKhz, tsc);
  VmState first, second;
  copy->fabric.saveChips(first);
  auto secondCopy = copyOf(*copy, tscKhz, tsc);
  secondCopy->fabric.saveChips(second);
  CHECK(first == second);
  return secondCopy;
}

// Bytes that call themselves a snapshot.
void loadAny(fuzz::Input& input, InterruptFabric& fabric, std::uint32_t cpu, std::uint64_t tsc) {
  LocalApic page;
  for (std::size_t offset = 0; offset < page.registers.size(); offset += 16) {
    const auto value = input.number<std::uint32_t>();
    std::memcpy(page.registers.data() + offset, &value, sizeof value);
  }
  fabric.loadLocal(cpu, page, tsc);
}
void loadAnyChips(fuzz::Input& input, InterruptFabric& fabric, std::uint64_t tsc) {
  VmState state;
  for (Pic* pic : {&state.primaryPic, &state.secondaryPic}) *pic = input.number<Pic>();
  state.ioApic.registerSelect = input.byte();
  state.ioApic.id = input.number<std::uint32_t>();
  state.ioApic.irr = input.number<std::uint32_t>();
  for (std::uint64_t& entry : state.ioApic.redirection) entry = input.number<std::uint64_t>();
  for (PitChannel& channel : state.pit.channels) {
    channel.count = input.number<std::uint32_t>();
    for (std::uint8_t* byte : {&channel.countLatched, &channel.statusLatched, &channel.readState, &channel.writeState,
                               &channel.rwMode, &channel.mode, &channel.gate}) {
      *byte = input.byte();
    }
  }
  fabric.loadChips(state, tsc);
}

std::uint16_t anyPort(std::uint8_t choice) {
  constexpr std::array<std::uint16_t, 11> kPorts{0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1, 0x40, 0x41, 0x42, 0x43, 0x61};
  return kPorts[choice % kPorts.size()];
}

// What a vCPU does to its own APIC.
void actOnLocal(fuzz::Input& input, InterruptFabric& fabric, std::uint32_t cpu, std::uint64_t tsc) {
  switch (input.byte() % 8) {
    case 0:
      fabric.writeLocal(cpu, input.byte() * 16U, input.number<std::uint32_t>(), tsc);
      return;
    case 1:
      fabric.readLocal(cpu, input.number<std::uint32_t>() % 0x500, tsc);
      return;
    case 2: {
      const std::uint32_t msr = 0x800U + input.byte();
      fabric.writeX2(cpu, msr, input.number<std::uint64_t>(), tsc);
      return;
    }
    case 3:
      fabric.readX2(cpu, 0x800U + input.byte(), tsc);
      return;
    case 4:
      fabric.setApicBase(cpu, kApicPage | (input.number<std::uint16_t>() & 0xfffU));
      return;
    case 5:
      fabric.setTscDeadline(cpu, input.byte() % 4 == 0 ? input.number<std::uint64_t>() : tsc + input.byte(), tsc);
      return;
    case 6:
      fabric.setCr8(cpu, input.byte());
      return;
    default:
      fabric.writeLocal(cpu, 0xb0, 0, tsc);
      return;
  }
}

void actOnChips(fuzz::Input& input, InterruptFabric& fabric, std::uint64_t tsc) {
  switch (input.byte() % 5) {
    case 0: {
      const std::uint8_t line = input.byte();
      fabric.setLine(line % 32, line >= 128);
      return;
    }
    case 1:
      fabric.writeIo(0x00, input.byte() % 0x44U);
      fabric.writeIo(0x10, input.number<std::uint32_t>());
      return;
    case 2:
      fabric.readIo(input.byte());
      return;
    case 3: {
      const std::uint16_t port = anyPort(input.byte());
      fabric.writePort(port, input.byte(), tsc);
      return;
    }
    default:
      fabric.readPort(anyPort(input.byte()), tsc);
      return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::uint32_t tscKhz = 1'000'000 + input.number<std::uint16_t>() * 64U;
  auto machine = std::make_unique<Machine>(tscKhz);
  std::uint64_t tsc = 0;
  while (!input.isEmpty()) {
    const std::uint8_t action = input.byte();
    const std::uint32_t cpu = action / 16 % kCpus;
    InterruptFabric& fabric = machine->fabric;
    switch (action % 16) {
      case 0:
        machine = reload(*machine, tscKhz, tsc);
        break;
      case 1:
        loadAny(input, fabric, cpu, tsc);
        break;
      case 2:
        loadAnyChips(input, fabric, tsc);
        break;
      case 3: {
        const std::uint64_t ticks = std::uint64_t{input.byte()} << (input.byte() % 40U);
        tsc = tsc + ticks < tsc ? tsc : tsc + ticks;
        break;
      }
      case 4: {
        const auto to = input.number<std::uint64_t>();
        for (std::uint32_t i = 0; i < kCpus; ++i) fabric.adjustTsc(i, tsc, to);
        tsc = to;
        break;
      }
      case 5:
      case 6:
        machine->acknowledge(cpu, tsc);
        break;
      case 7:
        fabric.takeInit(cpu);
        fabric.takeSipi(cpu);
        fabric.takeNmi(cpu);
        break;
      case 8:
      case 9:
      case 10:
        actOnChips(input, fabric, tsc);
        break;
      default:
        actOnLocal(input, fabric, cpu, tsc);
        break;
    }
    for (std::uint32_t i = 0; i < kCpus; ++i) machine->look(i, tsc);
  }
  return 0;
}
