// The page's layout: 64-bit words, each written by one side and there by one thread, in the processor's own byte order
// (both sides run on it). Lines of 128 bytes belong to one writer, so that no two of them wait for each other's caches.
//
//   offset  0  the maker's, before anybody else sees the page
//         128  the VMM's loop thread's (and before it runs, its main thread's)
//         256  eight times 128: one vCPU's thread's
//
// A word that is 0 was not written. Words are only ever added, where zeros were; what an old reader would misunderstand
// takes another version. Times are nanoseconds of the host's steady clock (CLOCK_MONOTONIC), which all processes share.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "vmm/slot/slot_state.h"

namespace qm::slot {

inline constexpr std::size_t kPageBytes = 4096;
inline constexpr std::uint64_t kMagic = 0x31'65'67'61'50'74'6c'53;  // "SltPage1" as bytes
inline constexpr std::uint64_t kVersion = 1;
inline constexpr std::size_t kVcpus = 8;  // as many as a machine may have

// Steps of a VMM's life at which it looks at what it has used so far. Numbers are the page's.
enum class Moment : std::uint8_t {
  begun = 0,      // the program runs: before it lie the jail and exec
  listening = 1,  // takes requests
  loaded = 2,     // the last guest was booted or restored, and not yet resumed
};
inline constexpr std::size_t kMoments = 3;

// Why a vCPU came to the VMM. Numbers are the page's.
enum class ExitKind : std::uint8_t {
  mmioRead = 0,
  mmioWrite = 1,
  portRead = 2,
  portWrite = 3,
  interrupted = 4,  // kicked: a pause, a timer, nothing
  last = 5,         // the guest's end: halted for good, shut down, reset, at fault
};
inline constexpr std::size_t kExitKinds = 6;

// `Word`: std::atomic<std::uint64_t> on the page, std::uint64_t in a copy of it.
template <class Word>
struct Mark {
  Word at;     // written last: without it the other two mean nothing
  Word cpuNs;  // of the process since its beginning, the jail included; all its threads
  Word faults;
};

template <class Word>
struct alignas(128) MakersPart {
  Word magic;
  Word version;
};

template <class Word>
struct alignas(128) LoopsPart {
  Word state;       // State, and from bit 8 on how many guests were begun: both change at once
  Word busySince;   // the loop is at work since then; 0: it waits
  Word heartbeats;  // how often the loop was at work
  Word populated;   // pages of the guest's memory that were copied for it before it asked
  std::array<Mark<Word>, kMoments> marks;
};

template <class Word>
struct alignas(128) VcpusPart {
  Word instructions;  // executed; 0 where nobody counts (KVM)
  Word decoded;       // of code that was not prepared
  std::array<Word, kExitKinds> exits;
};

template <class Word>
struct alignas(128) Fields {
  MakersPart<Word> maker;
  LoopsPart<Word> loop;
  std::array<VcpusPart<Word>, kVcpus> vcpus;
};

using Cell = std::atomic<std::uint64_t>;
static_assert(Cell::is_always_lock_free && sizeof(Cell) == sizeof(std::uint64_t));
using Page = Fields<Cell>;
using Copy = Fields<std::uint64_t>;
static_assert(sizeof(Page) == sizeof(Copy) && sizeof(Page) <= kPageBytes);
static_assert(offsetof(Copy, loop) == 128 && offsetof(Copy, vcpus) == 256 && sizeof(VcpusPart<Cell>) == 128);

inline constexpr unsigned kGuestShift = 8;  // of LoopsPart::state

constexpr std::uint64_t stateWord(State state, std::uint64_t guests) {
  return guests << kGuestShift | static_cast<std::uint64_t>(state);
}

}  // namespace qm::slot
