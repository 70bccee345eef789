#include "snapshot/state/codec.h"

#include <functional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "snapshot/state/bounds.h"
#include "snapshot/state/distinct_state.h"
#include "snapshot/state/envelope.h"

namespace qm::snapshot {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;

// The sentence with which the state is refused; empty when it is taken.
std::string refusal(const MachineState& state) {
  const auto decoded = decode(encode(state));
  if (decoded.has_value()) return {};
  EXPECT_EQ(decoded.error().remedy(), Remedy::fixInput);
  return decoded.error().text();
}

MachineState smallWith(const std::function<void(MachineState&)>& change) {
  MachineState state = smallState();
  change(state);
  return state;
}

// 64 seeds: that two bits are mixed up and equal in all of them has the chance 2^-64.
TEST(Codec, EveryFieldOfEveryDeviceComesBackAsItWas) {
  for (std::uint64_t seed = 0; seed < 64; ++seed) {
    const MachineState state = distinctState(seed);
    EXPECT_EQ(decode(encode(state)).value(), state) << "seed " << seed;
  }
}

TEST(Codec, EveryRunStateComesBackAsItWas) {
  for (const RunState each : {RunState::runnable, RunState::uninitialized, RunState::initReceived, RunState::halted,
                              RunState::sipiReceived}) {
    const MachineState state = smallWith([&](MachineState& small) { small.cpus[0].runState = each; });
    EXPECT_EQ(decode(encode(state)).value(), state);
  }
}

TEST(Codec, ANameWithANulInItIsNotCutThere) {
  const MachineState state = smallWith([](MachineState& small) { small.hypervisor = std::string("a\0b", 3); });
  EXPECT_EQ(decode(encode(state)).value().hypervisor.size(), 3U);
}

TEST(Codec, SavingWhatWasLoadedGivesTheSameBytes) {
  const auto bytes = encode(distinctState(1));
  EXPECT_EQ(encode(decode(bytes).value()), bytes);
}

TEST(Codec, AStateCutAtAnyByteIsRefused) {
  const auto bytes = encode(distinctState(2));
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const auto decoded = decode(std::span(bytes).first(length));
    ASSERT_FALSE(decoded.has_value()) << "cut at " << length;
    ASSERT_EQ(decoded.error().remedy(), Remedy::fixInput);
  }
}

TEST(Codec, AStateWithAnyByteChangedIsRefused) {
  auto bytes = encode(distinctState(3));
  for (std::byte& byte : bytes) {
    for (const auto change : {std::byte{0x01}, std::byte{0x80}, std::byte{0x5a}, std::byte{0xff}}) {
      byte ^= change;
      ASSERT_FALSE(decode(bytes).has_value()) << "at " << &byte - bytes.data();
      byte ^= change;
    }
  }
  EXPECT_TRUE(decode(bytes).has_value());
}

TEST(Codec, AStateWithBytesBehindItIsRefused) {
  auto bytes = encode(smallState());
  bytes.resize(bytes.size() + 8);
  EXPECT_FALSE(decode(bytes).has_value());
}

// With a right checksum: what another program, or an attacker, could have written.
TEST(Codec, AMessageCutAtAnyByteIsRefusedThoughItsChecksumIsRight) {
  const auto bytes = encode(distinctState(4));
  const auto message = std::span(bytes).subspan(kEnvelopeBytes);
  for (std::size_t length = 0; length < message.size(); ++length) {
    EXPECT_FALSE(decode(seal(message.first(length))).has_value()) << "cut at " << length;
  }
}

TEST(Codec, RefusalsSayWhatIsWrongAndWhatToDo) {
  const auto decoded = decode(std::as_bytes(std::span("an old shoe, and a long one to be sure, so much is clear")));
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error().text(), "this is not a snapshot's state: name the snapshot.capnp of a snapshot");

  auto newer = encode(smallState());
  newer[8] = std::byte{2};
  EXPECT_THAT(decode(newer).error().text(), HasSubstr("format version 2 and this program reads 1"));
}

TEST(Codec, AStateOutsideTheSchemasRangesIsRefused) {
  EXPECT_THAT(refusal(smallWith([](auto& state) { state.cpus.clear(); })),
              AllOf(HasSubstr("0 vCPUs, where 1 to 8 are possible"), EndsWith("make the snapshot anew")));
  EXPECT_THAT(refusal(smallWith([](auto& state) { state.cpus.resize(kMaxCpus + 1); })), HasSubstr("9 vCPUs"));
  EXPECT_THAT(refusal(smallWith([](auto& state) { state.memoryBytes = 0; })), HasSubstr("0 bytes of memory"));
  EXPECT_THAT(refusal(smallWith([](auto& state) { state.memoryBytes = 4097; })), HasSubstr("4097 bytes of memory"));
  EXPECT_THAT(refusal(smallWith([](auto& state) { state.memoryBytes = 2 * kMaxMemoryBytes; })), HasSubstr("1 TiB"));
  EXPECT_THAT(refusal(smallWith([](auto& state) { state.cpuTemplate.clear(); })), HasSubstr("CPU template name"));
  EXPECT_THAT(refusal(smallWith([](auto& state) { state.hypervisor.resize(256); })), HasSubstr("hypervisor name"));
}

TEST(Codec, AVcpuOutsideTheSchemasRangesIsRefused) {
  const auto refusalOfCpu = [](const std::function<void(CpuState&)>& change) {
    return refusal(smallWith([&](MachineState& state) { change(state.cpus[0]); }));
  };
  EXPECT_THAT(refusalOfCpu([](auto& cpu) { cpu.extended.area.resize(kMinXsaveBytes - 1); }), HasSubstr("XSAVE"));
  EXPECT_THAT(refusalOfCpu([](auto& cpu) { cpu.extended.area.resize(kMaxXsaveBytes + 1); }), HasSubstr("XSAVE"));
  EXPECT_THAT(refusalOfCpu([](auto& cpu) { cpu.cpuid.resize(kMaxCpuidEntries + 1); }), HasSubstr("CPUID"));
  EXPECT_THAT(refusalOfCpu([](auto& cpu) { cpu.msrs = {{.index = 0x10}, {.index = 0x10}}; }),
              HasSubstr("MSR 0x10 out of order or twice"));
  EXPECT_THAT(refusalOfCpu([](auto& cpu) { cpu.msrs = {{.index = 0x11}, {.index = 0x10}}; }), HasSubstr("MSR 0x10"));
  EXPECT_THAT(refusalOfCpu([](auto& cpu) { cpu.system.ldt.type = 16; }), HasSubstr("a segment of type 16"));
  EXPECT_THAT(refusalOfCpu([](auto& cpu) { cpu.system.cs.dpl = 4; }), HasSubstr("privilege level 4"));
}

TEST(Codec, DevicesOutsideTheSchemasRangesAreRefused) {
  EXPECT_THAT(refusal(smallWith([](auto& state) { state.serial.received.resize(65); })), HasSubstr("serial port"));
  EXPECT_THAT(refusal(smallWith([](auto& state) { state.i8042.output.resize(17); })), HasSubstr("keyboard"));
  const auto refusalOfDevice = [](const std::function<void(VirtioDeviceState&)>& change) {
    return refusal(smallWith([&](MachineState& state) {
      state.virtioDevices.resize(1);
      change(state.virtioDevices[0]);
    }));
  };
  EXPECT_EQ(refusalOfDevice([](auto& /*unchanged*/) {}), "");
  EXPECT_THAT(refusalOfDevice([](auto& device) { device.id.resize(256); }), HasSubstr("a device's id"));
  EXPECT_THAT(refusalOfDevice([](auto& device) { device.transport.queues.resize(17); }), HasSubstr("17 queues"));
  EXPECT_THAT(refusalOfDevice([](auto& device) { device.device = virtio::BlockState{.id = std::string(21, 'x')}; }),
              HasSubstr("a disk's id"));
  EXPECT_THAT(refusalOfDevice([](auto& device) {
                virtio::VsockState vsock;
                vsock.kept.resize(2);
                device.device = vsock;
              }),
              HasSubstr("2 kept vsock connections"));
  EXPECT_THAT(refusal(smallWith([](auto& state) { state.virtioDevices.resize(2); })), HasSubstr("out of order"));
}

}  // namespace
}  // namespace qm::snapshot
