#include "tests/contract/guest.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include <fmt/format.h>

#include "vmm/hypervisor/cpu_template/cpu_template.h"

namespace qm::contract {

namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 30s;  // far above what any guest here needs, also in the lab
constexpr std::uint64_t kStubBytes = 16;

Segment codeSegment() {
  return {
      .limit = 0xffff'ffff, .selector = kCodeSelector, .type = 0xb, .s = true, .present = true, .l = true, .g = true};
}

Segment dataSegment() {
  return {.limit = 0xffff'ffff, .selector = 0x10, .type = 0x3, .s = true, .present = true, .db = true, .g = true};
}

Segment taskSegment() {
  return {.limit = 0x67, .selector = 0x18, .type = 0xb, .present = true};
}

// An interrupt gate of 64-bit mode (SDM 3A, figure 6-8).
std::array<std::uint64_t, 2> interruptGate(GuestAddress handler) {
  const std::uint64_t at = handler.value;
  constexpr std::uint64_t kPresentInterruptGate = 0x8e;
  return {(at & 0xffffU) | std::uint64_t{kCodeSelector} << 16U | kPresentInterruptGate << 40U |
              (at >> 16U & 0xffffU) << 48U,
          at >> 32U};
}

void watch(const std::stop_token& stop, std::atomic<bool>& tookTooLong,
           const std::vector<std::unique_ptr<Vcpu>>& vcpus) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait_for(lock, stop, kPatience, [] { return false; });
  tookTooLong = !stop.stop_requested();
  while (!stop.stop_requested()) {
    for (const auto& vcpu : vcpus) vcpu->kick();
    stopped.wait_for(lock, stop, 100ms, [] { return false; });
  }
}

}  // namespace

std::string describe(const VcpuExit& exit) {
  struct Words {
    std::string operator()(const MmioRead& e) const {
      return fmt::format("read of {} bytes at {:#x}", e.bytes, e.address.value);
    }
    std::string operator()(const MmioWrite& e) const {
      return fmt::format("write of {:#x} ({} bytes) at {:#x}", e.value, e.bytes, e.address.value);
    }
    std::string operator()(const IoRead& e) const {
      return fmt::format("read of {} bytes from port {:#x}", e.bytes, e.port);
    }
    std::string operator()(const IoWrite& e) const {
      return fmt::format("write of {:#x} ({} bytes) to port {:#x}", e.value, e.bytes, e.port);
    }
    std::string operator()(const Halted& /*e*/) const { return "halted"; }
    std::string operator()(const Shutdown& /*e*/) const { return "shutdown"; }
    std::string operator()(const SystemReset& /*e*/) const { return "system reset"; }
    std::string operator()(const Interrupted& /*e*/) const { return "interrupted"; }
    std::string operator()(const Alarm& /*e*/) const { return "alarm"; }
    std::string operator()(const Fault& e) const {
      return fmt::format("fault: {}; rip={:#x}", e.reason, e.registers.rip);
    }
  };
  return std::visit(Words{}, exit);
}

Guest::Guest(Hypervisor& hypervisor, GuestShape shape)
    : shape_(shape), ram_(require(Mapping::anonymous(kRamBytes))), vm_(require(hypervisor.createVm(shape.pit))) {
  require(vm_->setMemory({.index = 0, .start = {0}, .host = ram_.bytes(), .dirtyLogging = shape.dirtyLogging}));
  const CpuidTable supported = require(hypervisor.supportedCpuid());
  for (std::uint32_t index = 0; index < shape.vcpus; ++index) {
    vcpus_.push_back(require(vm_->createVcpu(index)));
    require(vcpus_.back()->setCpuid(require(applyCpuTemplate(kDefaultCpuTemplate, supported, index, shape.vcpus))));
  }
  watchdog_ = std::jthread([this](const std::stop_token& stop) { watch(stop, tookTooLong_, vcpus_); });
}

Guest::~Guest() {
  watchdog_.request_stop();
  watchdog_.join();
}

void Guest::write(GuestAddress to, std::span<const std::byte> bytes) {
  std::ranges::copy(bytes, ram_.bytes().subspan(to.value, bytes.size()).begin());
  vm_->deviceWrote(to, bytes.size());
}

void Guest::setHandler(std::uint8_t vector, GuestAddress handler) {
  writeObject(kIdt + std::uint64_t{vector} * 16, interruptGate(handler));
}

void Guest::writeTables() {
  // Null, code, data, and the task's two; hidden parts are loaded with the registers.
  writeObject(kGdt,
              std::array<std::uint64_t, 5>{0, 0x00af'9b00'0000'ffff, 0x00cf'9300'0000'ffff, 0x0000'8b00'0000'0067, 0});
  constexpr std::uint64_t kPresentWritable = 3, kLargePage = 1U << 7U;
  writeObject(kPageTables, (kPageTables.value + 0x1000) | kPresentWritable);
  for (std::uint64_t gib = 0; gib < 4; ++gib) {
    const GuestAddress directory = kPageTables + 0x2000 + gib * 0x1000;
    writeObject(kPageTables + 0x1000 + gib * 8, directory.value | kPresentWritable);
    for (std::uint64_t i = 0; i < 512; ++i)
      writeObject(directory + i * 8, (gib << 30U | i << 21U) | kLargePage | kPresentWritable);
  }
  for (std::uint8_t vector = 0; vector < 32; ++vector) {
    GuestCode stub(kStubs + vector * kStubBytes);
    stub.report(kExceptionPort, std::uint32_t{vector});
    stub.hlt();
    place(stub);
    setHandler(vector, stub.origin());
  }
}

void Guest::startLongMode(const GuestCode& code) {
  writeTables();
  place(code);
  SystemRegisters system = require(vcpu().systemRegisters());
  system.cs = codeSegment();
  system.ds = system.es = system.fs = system.gs = system.ss = dataSegment();
  system.tr = taskSegment();
  system.ldt = {.unusable = true};
  system.gdt = {.base = kGdt.value, .limit = 5 * 8 - 1};
  system.idt = {.base = kIdt.value, .limit = 256 * 16 - 1};
  constexpr std::uint64_t kPe = 1, kMp = 2, kEt = 1U << 4U, kNe = 1U << 5U, kPg = 1U << 31U;
  constexpr std::uint64_t kPae = 1U << 5U, kOsfxsr = 1U << 9U, kOsxmmexcpt = 1U << 10U, kLme = 1U << 8U,
                          kLma = 1U << 10U;
  system.cr0 = kPe | kMp | kEt | kNe | kPg;
  system.cr3 = kPageTables.value;
  system.cr4 = kPae | kOsfxsr | kOsxmmexcpt;
  system.efer = kLme | kLma;
  require(vcpu().setRegisters({.rsp = kStackTop.value, .rip = code.origin().value}, system));
}

void Guest::startRealMode(const GuestCode& code) {
  place(code);
  SystemRegisters system = require(vcpu().systemRegisters());
  system.cs.base = 0;
  system.cs.selector = 0;
  require(vcpu().setRegisters({.rsp = kStackTop.value - 0x1000, .rip = code.origin().value}, system));
}

VcpuExit Guest::run() {
  VcpuExit exit = vcpu().run();
  if (tookTooLong_) {
    throw std::runtime_error(fmt::format("the guest hangs; rip={:#x}", require(vcpu().registers()).rip));
  }
  const auto* write = std::get_if<IoWrite>(&exit);
  if (write != nullptr && write->port == kExceptionPort) {
    const Registers at = require(vcpu().registers());
    throw std::runtime_error(fmt::format("the guest had exception {}; on its stack at {:#x}: {:#x} {:#x} {:#x}",
                                         write->value, at.rsp, readObject<std::uint64_t>({at.rsp}),
                                         readObject<std::uint64_t>({at.rsp + 8}),
                                         readObject<std::uint64_t>({at.rsp + 16})));
  }
  return exit;
}

std::uint32_t Guest::nextReport() {
  const auto write = runTo<IoWrite>();
  if (write.port != kReportPort) throw std::runtime_error("not a report: " + describe(write));
  return write.value;
}

std::vector<std::uint32_t> Guest::runToEnd() {
  std::vector<std::uint32_t> reports;
  for (;;) {
    const auto write = runTo<IoWrite>();
    if (write.port == kDonePort) return reports;
    if (write.port != kReportPort) throw std::runtime_error("not a report: " + describe(write));
    reports.push_back(write.value);
  }
}

MachineSnapshot Guest::save() {
  MachineSnapshot snapshot;
  for (const auto& vcpu : vcpus_) snapshot.cpus.push_back(require(vcpu->save()));
  snapshot.vm = require(vm_->save());
  return snapshot;
}

std::unique_ptr<Guest> Guest::load(Hypervisor& hypervisor, const MachineSnapshot& snapshot) const {
  auto copy = std::make_unique<Guest>(hypervisor, shape_);
  copy->write({0}, ram_.bytes());
  for (std::uint32_t i = 0; i < shape_.vcpus; ++i) require(copy->vcpu(i).load(snapshot.cpus[i]));
  require(copy->vm().load(snapshot.vm));
  return copy;
}

std::unique_ptr<Guest> Guest::copy(Hypervisor& hypervisor) {
  return load(hypervisor, save());
}

}  // namespace qm::contract
