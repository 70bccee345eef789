// Many elements of a string instruction at once: as far as they lie in one page each, and the table of recent walks
// knows those pages, they are a loop over host memory. Forward only (DF clear).
//
// Each function answers how many elements it has done; 0: these have to go the long way, one by one. None faults.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/soft/memory/access.h"
#include "vmm/hypervisor/soft/operations/alu_arithmetic.h"

namespace qm::soft {

// How long a repeat goes on, besides for its count.
enum class RepeatWhile : std::uint8_t { always, equal, notEqual };

template <class T>
constexpr std::uint64_t elementsInPage(std::uint64_t address) {
  return (kPageBytes - (address & ~kPageMask)) / sizeof(T);
}

template <class T>
inline T elementAt(const char* at, std::uint64_t i) {
  T value;
  __builtin_memcpy(&value, at + i * sizeof(T), sizeof value);
  return value;
}

template <class T>
inline void setElement(char* at, std::uint64_t i, T value) {
  __builtin_memcpy(at + i * sizeof(T), &value, sizeof value);
}

// Elements are copied in order, so where the target begins within the source, what was written is read again.
template <class T>
std::uint64_t copyRun(Cpu& cpu, std::uint64_t source, std::uint64_t target, std::uint64_t most) {
  const std::uint64_t count = std::min({most, elementsInPage<T>(source), elementsInPage<T>(target)});
  if (count == 0) return 0;
  const std::uint64_t bytes = count * sizeof(T);
  const char* from = readableBytes(cpu, source, static_cast<unsigned>(bytes));
  char* to = writableBytes(cpu, target, static_cast<unsigned>(bytes));
  if (from == nullptr || to == nullptr) return 0;
  const std::uint64_t distance = reinterpret_cast<std::uintptr_t>(to) - reinterpret_cast<std::uintptr_t>(from);
  if (distance >= bytes || distance == 0) {
    std::memmove(to, from, bytes);
  } else {
    for (std::uint64_t i = 0; i < count; ++i) setElement(to, i, elementAt<T>(from, i));
  }
  return count;
}

template <class T>
std::uint64_t fillRun(Cpu& cpu, std::uint64_t target, T value, std::uint64_t most) {
  const std::uint64_t count = std::min(most, elementsInPage<T>(target));
  if (count == 0) return 0;
  char* to = writableBytes(cpu, target, static_cast<unsigned>(count * sizeof(T)));
  if (to == nullptr) return 0;
  const auto byte = static_cast<std::uint8_t>(value);
  constexpr T kEveryByte = static_cast<T>(0x0101'0101'0101'0101);
  if (value == static_cast<T>(byte * kEveryByte)) {
    std::memset(to, byte, count * sizeof(T));
  } else {
    for (std::uint64_t i = 0; i < count; ++i) setElement(to, i, value);
  }
  return count;
}

// Ends with the element that ends the repeat, too; the flags are the last comparison's.
template <class T>
std::uint64_t compareRun(Cpu& cpu, std::uint64_t source, std::uint64_t target, std::uint64_t most,
                         RepeatWhile repeatWhile, Flags& flags) {
  const std::uint64_t count = std::min({most, elementsInPage<T>(source), elementsInPage<T>(target)});
  if (count == 0) return 0;
  const auto bytes = static_cast<unsigned>(count * sizeof(T));
  const char* first = readableBytes(cpu, source, bytes);
  const char* second = readableBytes(cpu, target, bytes);
  if (first == nullptr || second == nullptr) return 0;
  const bool whileEqual = repeatWhile == RepeatWhile::equal;
  std::uint64_t done = 0;
  T a, b;
  do {
    a = elementAt<T>(first, done);
    b = elementAt<T>(second, done);
    ++done;
  } while (done < count && (a == b) == whileEqual);
  Compare::apply(a, b, flags);
  return done;
}

template <class T>
std::uint64_t scanRun(Cpu& cpu, T wanted, std::uint64_t target, std::uint64_t most, RepeatWhile repeatWhile,
                      Flags& flags) {
  const std::uint64_t count = std::min(most, elementsInPage<T>(target));
  if (count == 0) return 0;
  const char* at = readableBytes(cpu, target, static_cast<unsigned>(count * sizeof(T)));
  if (at == nullptr) return 0;
  const bool whileEqual = repeatWhile == RepeatWhile::equal;
  std::uint64_t done = 0;
  T found;
  do {
    found = elementAt<T>(at, done++);
  } while (done < count && (wanted == found) == whileEqual);
  Compare::apply(wanted, found, flags);
  return done;
}

}  // namespace qm::soft
