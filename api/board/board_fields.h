// The board's layout: 64-bit words in the processor's byte order, since both sides run on it; texts are bytes, padded
// with zeros. One writer; a reader that finds `sequence` odd, or changed when it is through, reads again.
//
// Another layout takes another version: the daemon and `quickmatch top` are of one build.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "api/board/board_values.h"

namespace qm::board {

inline constexpr std::uint64_t kMagic = 0x31'64'72'61'6f'42'6d'51;  // "QmBoard1" as bytes
inline constexpr std::uint64_t kVersion = 1;

// Known before a board is read: written in place, each by itself.
struct Head {
  std::uint64_t magic;
  std::uint64_t version;
  std::uint64_t heartbeatNs;  // of the steady clock, when it was written last
  std::uint64_t sequence;
};

template <std::size_t Bytes>
using Text = std::array<char, Bytes>;

struct PoolFields {
  Text<64> name;
  Text<16> state;
  std::uint64_t wanted, ready, making, leased;
};

struct RoadFields {
  Text<16> name;
  std::uint64_t granted, p50Us, p99Us, mostUs;
};

struct ErrorFields {
  std::uint64_t wallMs;
  Text<240> text;
};

struct VmFields {
  Text<32> id;
  Text<16> state;
  std::uint64_t pid, ageMs, cpuUs, instructions, decoded, exits, heartbeats, busyMs;
};

struct Contents {
  std::uint64_t pid, startTicks;
  std::uint64_t blanks, inLine, making, ending;
  std::uint64_t granted, refused, missed, ended;
  std::uint64_t grantedPerKs, refilledPerKs, endedPerKs;
  std::uint64_t vmsInAll;
  std::uint64_t pools, roads, errors, vms;  // how many of each there are below
  std::array<PoolFields, kMostPools> pool;
  std::array<RoadFields, kMostRoads> road;
  std::array<ErrorFields, kMostErrors> error;
  std::array<VmFields, kMostVms> vm;  // last: only those that are there are written and read
};

static_assert(std::is_trivially_copyable_v<Contents> && alignof(Contents) == alignof(std::uint64_t));
static_assert(offsetof(Contents, vm) % sizeof(std::uint64_t) == 0);

using Cell = std::atomic<std::uint64_t>;
static_assert(Cell::is_always_lock_free && sizeof(Cell) == sizeof(std::uint64_t));

inline constexpr std::size_t kHeadWords = sizeof(Head) / sizeof(Cell);
inline constexpr std::size_t kContentWords = sizeof(Contents) / sizeof(Cell);
inline constexpr std::size_t kFileBytes = sizeof(Head) + sizeof(Contents);
// Words of contents that hold so many VMs.
constexpr std::size_t wordsWith(std::size_t vms) {
  return (offsetof(Contents, vm) + vms * sizeof(VmFields)) / sizeof(Cell);
}

void store(const Board& board, Contents& contents);
// Counts beyond their places are cut down to them.
Board load(const Contents& contents);

}  // namespace qm::board
