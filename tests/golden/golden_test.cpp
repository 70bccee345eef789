#include <numeric>

#include <gtest/gtest.h>

#include "snapshot/state/codec.h"
#include "vmm/os/file_descriptor.h"

namespace qm::snapshot {
namespace {

constexpr std::uint64_t kMaxGoldenBytes = 16 * 1024;

std::vector<std::byte> golden(const std::string& name) {
  return readWholeFile(std::filesystem::path(QM_GOLDEN_FOLDER) / name, kMaxGoldenBytes).value();
}

// Repeats with a period of 251, a prime: no two neighbouring registers of an area are alike.
std::byte pattern(std::size_t index) {
  return static_cast<std::byte>(index % 251);
}

Segment segment(std::uint16_t number) {
  return {.base = 0x1000'0000ULL + number,
          .limit = 0x2000'0000U + number,
          .selector = static_cast<std::uint16_t>(number * 8),
          .type = static_cast<std::uint8_t>(number),
          .dpl = static_cast<std::uint8_t>(number % 4),
          .s = number % 2 != 0,
          .present = number % 3 != 0,
          .avl = number % 4 == 0,
          .l = number == 1,
          .db = number == 2,
          .g = number < 6,
          .unusable = number == 8};
}

Registers registers() {
  return {.rax = 1,
          .rbx = 2,
          .rcx = 3,
          .rdx = 4,
          .rsi = 5,
          .rdi = 6,
          .rsp = 7,
          .rbp = 8,
          .r8 = 9,
          .r9 = 10,
          .r10 = 11,
          .r11 = 12,
          .r12 = 13,
          .r13 = 14,
          .r14 = 15,
          .r15 = 16,
          .rip = 0xffff'ffff'8100'0000,
          .rflags = 0x246};
}

SystemRegisters systemRegisters() {
  return {.cs = segment(1),
          .ds = segment(2),
          .es = segment(3),
          .fs = segment(4),
          .gs = segment(5),
          .ss = segment(6),
          .tr = segment(7),
          .ldt = segment(8),
          .gdt = {.base = 0xfffe'0000, .limit = 0x7f},
          .idt = {.base = 0xfffe'1000, .limit = 0xfff},
          .cr0 = 0x8005'0033,
          .cr2 = 0xdead'b000,
          .cr3 = 0x1000,
          .cr4 = 0x6f0,
          .cr8 = 2,
          .efer = 0xd01,
          .apicBase = 0xfee0'0900};
}

PendingEvents events() {
  return {.exceptionInjected = true,
          .exceptionPending = false,
          .exceptionHasErrorCode = true,
          .exceptionHasPayload = true,
          .exceptionVector = 14,
          .exceptionErrorCode = 6,
          .exceptionPayload = 0x7fff'0000,
          .interruptInjected = true,
          .interruptSoft = false,
          .interruptVector = 0x80,
          .shadowSti = true,
          .shadowMovSs = false,
          .nmiInjected = false,
          .nmiPending = true,
          .nmiMasked = true,
          .sipiVector = 0x9f,
          .smmActive = false,
          .smiPending = true,
          .smmInsideNmi = false,
          .smiLatchedInit = true,
          .tripleFaultPending = false};
}

CpuState cpu() {
  CpuState made{.cpuid = {{.leaf = 0, .eax = 0xd, .ebx = 0x756e'6547, .ecx = 0x6c65'746e, .edx = 0x4965'6e69},
                          {.leaf = 0xd, .subleaf = 2, .subleafMatters = true, .eax = 256, .ebx = 576}},
                .tscKhz = 2'500'000,
                .runState = RunState::halted,
                .registers = registers(),
                .system = systemRegisters(),
                .debug = {.db = {0x11, 0x22, 0x33, 0x44}, .dr6 = 0xffff'4ff0, .dr7 = 0x401},
                .extended = {.xcr0 = 7, .area = std::vector<std::byte>(832)},
                .msrs = {{.index = 0x10, .value = 123'456'789}, {.index = 0xc000'0100, .value = 0x7f00'1234'5678}},
                .events = events()};
  for (std::size_t i = 0; i < made.extended.area.size(); ++i) made.extended.area[i] = pattern(i);
  for (std::size_t i = 0; i < made.localApic.registers.size(); ++i) made.localApic.registers[i] = pattern(i + 1);
  return made;
}

Pic pic(std::uint8_t first) {
  Pic made;
  std::uint8_t next = first;
  for (std::uint8_t* each :
       {&made.lastIrr, &made.irr, &made.imr, &made.isr, &made.priorityAdd, &made.irqBase, &made.readRegSelect,
        &made.poll, &made.specialMask, &made.initState, &made.autoEoi, &made.rotateOnAutoEoi,
        &made.specialFullyNestedMode, &made.init4, &made.elcr, &made.elcrMask}) {
    *each = next++;
  }
  return made;
}

PitChannel pitChannel(std::uint8_t first) {
  PitChannel made{.count = 0x1'0000U + first, .latchedCount = static_cast<std::uint16_t>(0x200U + first)};
  std::uint8_t next = first;
  for (std::uint8_t* each : {&made.countLatched, &made.statusLatched, &made.status, &made.readState, &made.writeState,
                             &made.writeLatch, &made.rwMode, &made.mode, &made.bcd, &made.gate}) {
    *each = next++;
  }
  made.countLoadTimeNs = -std::int64_t{first};
  return made;
}

VmState vm() {
  VmState made{.primaryPic = pic(0x10),
               .secondaryPic = pic(0x40),
               .hasPit = true,
               .pit = {.channels = {pitChannel(0x10), pitChannel(0x30), pitChannel(0x50)}, .flags = 3},
               .clock = {.guestNs = 5'000'000'000, .realtimeNs = 1'700'000'000'000'000'000}};
  made.ioApic = {.baseAddress = 0xfec0'0000, .registerSelect = 0x10, .id = 0x0100'0000, .irr = 0x20};
  std::iota(made.ioApic.redirection.begin(), made.ioApic.redirection.end(), 0x1'0000U);
  return made;
}

virtio::TransportState transport(std::uint32_t number) {
  return {.deviceFeaturesSelect = 1,
          .driverFeaturesSelect = 2,
          .driverFeatures = 0x1'3000'0000ULL + number,
          .queueSelect = 3,
          .status = 15,
          .interruptStatus = 1,
          .configGeneration = 4,
          .queues = {{.size = 256,
                      .ready = true,
                      .descriptorTable = 0x10'0000,
                      .availableRing = 0x10'1000,
                      .usedRing = 0x10'2000,
                      .nextAvailable = 65535,
                      .nextUsed = 65534},
                     {.size = 128}}};
}

VirtioDeviceState device(const std::string& id, std::uint32_t number, virtio::DeviceState state) {
  return {.id = id,
          .base = GuestAddress{0xd000'0000} + number * 0x1000,
          .gsi = 5 + number,
          .transport = transport(number),
          .device = std::move(state)};
}

// As the writers of format version 1 knew it. Never edited, but for a later field's default.
MachineState stateOfVersion1() {
  const virtio::VsockState vsock{
      .guestCid = 3,
      .kept = {{.hostPort = 0x4000'0000,
                .guestPort = 52,
                .receivedBytes = 1,
                .announcedBytes = 2,
                .sentBytes = 3,
                .peerBufferBytes = 262'144,
                .peerForwardedBytes = 4}},
      .toReset = {{.hostPort = 0x4000'0001, .guestPort = 80}, {.hostPort = 99, .guestPort = 1024}},
      .nextHostPort = 0x4000'0002};
  return {.memoryBytes = 128ULL << 20U,
          .cpuTemplate = "qm-v1",
          .hypervisor = "kvm",
          .cpus = {cpu()},
          .vm = vm(),
          .serial = {.interruptEnable = 5,
                     .fifoControl = 0xc7,
                     .lineControl = 3,
                     .modemControl = 0xb,
                     .scratch = 0x5a,
                     .divisor = 1,
                     .transmitEmptyPending = true,
                     .received = {'h', 'i'}},
          .i8042 = {.commandByte = 0x45, .outputPort = 3, .pendingCommand = 0xd1, .output = {0xfa}},
          .virtioDevices = {
              device("rootfs", 0, virtio::BlockState{.capacitySectors = 131'072, .readOnly = true, .id = "rootfs"}),
              device("eth0", 1, virtio::NetState{.mac = {2, 0, 0, 1, 2, 3}}),
              device("entropy", 2, virtio::EntropyState{}), device("vsock", 3, vsock)}};
}

TEST(GoldenState, Version1IsReadAsItsWritersMeantIt) {
  EXPECT_EQ(decode(golden("state-v1.snapshot.capnp")).value(), stateOfVersion1());
}

// Fields that were added later are at their defaults, which the canonical form leaves out.
TEST(GoldenState, Version1IsWrittenAgainAsItWas) {
  EXPECT_EQ(encode(stateOfVersion1()), golden("state-v1.snapshot.capnp"));
}

}  // namespace
}  // namespace qm::snapshot
