// What client and spawner say to each other: one request, one answer, each one message of a socket that keeps messages
// apart. Numbers are little-endian 32-bit words, texts and lists are preceded by their length; the first word is the
// version, the second the request's number, which its answer repeats: one that comes too late is known by it. Both ends
// are of one build and one life, so there is no format to evolve: another version is refused. A request is hostile
// input to the spawner.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "vmm/cgroup/memory_shortage.h"
#include "vmm/jail/jail_plan.h"
#include "vmm/network/slot.h"
#include "vmm/os/process.h"
#include "vmm/result/result.h"

namespace qm::spawner {

inline constexpr std::uint32_t kVersion = 5;
inline constexpr std::size_t kArguments = 256;
inline constexpr std::size_t kGiven = 64;

// Beside it go descriptors: the executable, then one for each of `numbers`.
struct SpawnMessage {
  std::vector<std::string> arguments;  // argv; at least argv[0]
  JailPlan jail;
  std::vector<std::uint32_t> numbers;  // what the started process knows the descriptors by; distinct, < kGivenNumbers
  bool operator==(const SpawnMessage&) const = default;
};

// Takes a started process's end from the kernel.
struct ReapMessage {
  pid_t pid = 0;
  bool operator==(const ReapMessage&) const = default;
};

// Limits a started process anew.
struct LimitMessage {
  pid_t pid = 0;
  CgroupLimits limits;
  bool operator==(const LimitMessage&) const = default;
};

// Asks whether its control group was short of memory, of a process that was not reaped yet.
struct ShortageMessage {
  pid_t pid = 0;
  bool operator==(const ShortageMessage&) const = default;
};

// Asks by which control groups processes are held.
struct GroupsMessage {
  bool operator==(const GroupsMessage&) const = default;
};

// Makes a network slot (vmm/network/slot.h), which the spawner keeps until it is closed.
struct MakeSlotMessage {
  bool operator==(const MakeSlotMessage&) const = default;
};

// Opens a socket in one.
struct OpenSocketMessage {
  std::uint32_t slot = 0;
  network::SlotSocket kind = network::SlotSocket::toGuest;
  bool operator==(const OpenSocketMessage&) const = default;
};

// Lets one go: it ends when its tap and its sockets are closed, too.
struct CloseSlotMessage {
  std::uint32_t slot = 0;
  bool operator==(const CloseSlotMessage&) const = default;
};

using Request = std::variant<SpawnMessage, ReapMessage, LimitMessage, ShortageMessage, GroupsMessage, MakeSlotMessage,
                             OpenSocketMessage, CloseSlotMessage>;

// Beside it goes the process's descriptor.
struct Spawned {
  pid_t pid = 0;
  bool operator==(const Spawned&) const = default;
};

struct Ended {
  ProcessEnd how;
  MemoryShortage shortage = MemoryShortage::none;  // what it, or a process that it started, was killed for
  bool operator==(const Ended&) const = default;
};

struct ShortageIs {
  MemoryShortage shortage = MemoryShortage::none;
  bool operator==(const ShortageIs&) const = default;
};

struct Limited {
  bool operator==(const Limited&) const = default;
};

struct Groups {
  std::string controllers;  // names in a row; empty: none
  std::string lacks;        // sentences; empty: all are there that were asked for
  bool operator==(const Groups&) const = default;
};

// Beside it goes the slot's tap.
struct SlotMade {
  std::uint32_t slot = 0;  // never given twice
  bool operator==(const SlotMade&) const = default;
};

// Beside it goes the socket.
struct SocketOpened {
  bool operator==(const SocketOpened&) const = default;
};

struct SlotClosed {
  bool operator==(const SlotClosed&) const = default;
};

using Answer = std::variant<Spawned, Ended, Limited, ShortageIs, Groups, Error, SlotMade, SocketOpened, SlotClosed>;

// Of a message that may be none: 0 then.
std::uint32_t numberOf(std::span<const std::byte> bytes);
// A decoded request keeps every limit named above and passes check(JailPlan).
std::vector<std::byte> encode(std::uint32_t number, const Request& request);
Result<Request> decodeRequest(std::span<const std::byte> bytes);
std::vector<std::byte> encode(std::uint32_t number, const Answer& answer);
Result<Answer> decodeAnswer(std::span<const std::byte> bytes);

}  // namespace qm::spawner
