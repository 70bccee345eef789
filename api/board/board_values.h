// How a daemon stands, as values: what the board says. Texts longer than their place on the board are cut there.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qm::board {

// Places on the board; what is beyond is left out, and counted where it says so.
inline constexpr std::size_t kMostPools = 64;
inline constexpr std::size_t kMostRoads = 8;
inline constexpr std::size_t kMostErrors = 16;
inline constexpr std::size_t kMostVms = 1024;
// The board's name in the daemon's state folder.
inline constexpr std::string_view kFileName = "board";
inline constexpr std::chrono::seconds kPeriod{1};

// Which process writes it. The ticks tell two processes of one number apart (vmm/os/process.h).
struct Writer {
  std::uint64_t pid = 0;
  std::uint64_t startTicks = 0;
  bool operator==(const Writer&) const = default;
};

struct Pool {
  std::string name;   // of its template; 64 bytes
  std::string state;  // of that; 16 bytes
  std::uint64_t wanted = 0, ready = 0, making = 0, leased = 0;
  bool operator==(const Pool&) const = default;
};

// Leases by one road; times are of the last some hundred, from the request to the grant.
struct Road {
  std::string name;  // 16 bytes
  std::uint64_t granted = 0;
  std::uint64_t p50Us = 0, p99Us = 0, mostUs = 0;
  bool operator==(const Road&) const = default;
};

struct PastError {
  std::uint64_t wallMs = 0;  // since 1970
  std::string text;          // 240 bytes
  bool operator==(const PastError&) const = default;
};

// As its slot page says, which is the VMM's word, and the kernel of its CPU.
struct Vm {
  std::string id;     // 32 bytes
  std::string state;  // 16 bytes; "refused": its slot page said what cannot be
  std::uint64_t pid = 0, ageMs = 0, cpuUs = 0;
  std::uint64_t instructions = 0, decoded = 0, exits = 0;
  std::uint64_t heartbeats = 0;
  std::uint64_t busyMs = 0;  // how long its loop has been at one piece of work; 0: it waits
  bool operator==(const Vm&) const = default;
};

struct Board {
  Writer writer;
  std::uint64_t blanks = 0, inLine = 0, making = 0, ending = 0;
  std::uint64_t granted = 0, refused = 0, missed = 0, ended = 0;      // leases, since the daemon began
  std::uint64_t grantedPerKs = 0, refilledPerKs = 0, endedPerKs = 0;  // in a thousand seconds, by the last ten
  std::uint64_t vmsInAll = 0;                                         // some of them may have no line
  std::vector<Pool> pools;
  std::vector<Road> roads;
  std::vector<PastError> errors;  // the last ones, the latest first
  std::vector<Vm> vms;
  bool operator==(const Board&) const = default;
};

}  // namespace qm::board
