// One element of a string instruction, and where it is: [rsi] in the operation's segment, [rdi] in ES, both as wide as
// addresses are (SDM 1, 7.3.9).
#pragma once

#include <cstdint>

#include "vmm/hypervisor/soft/cpu/address.h"
#include "vmm/hypervisor/soft/operations/register_place.h"
#include "vmm/hypervisor/soft/operations/string_run.h"

namespace qm::soft {

// Form::base is 64-bit mode without FS and GS; Form::any is all.
template <Form form>
inline std::uint64_t pointerOf(const Cpu& cpu, const Operation& op, std::uint8_t place) {
  if constexpr (form == Form::any) {
    if (op.addressBytes == 4) return reg<std::uint32_t>(cpu, place);
    if (op.addressBytes == 2) return reg<std::uint16_t>(cpu, place);
  }
  return reg<std::uint64_t>(cpu, place);
}

template <Form form>
inline void setPointer(Cpu& cpu, const Operation& op, std::uint8_t place, std::uint64_t value) {
  if constexpr (form == Form::any) {
    if (op.addressBytes == 4) return setReg(cpu, place, static_cast<std::uint32_t>(value));
    if (op.addressBytes == 2) return setReg(cpu, place, static_cast<std::uint16_t>(value));
  }
  setReg(cpu, place, value);
}

// By so many bytes; DF turns it round.
template <Form form>
inline void advance(Cpu& cpu, const Operation& op, std::uint8_t place, std::uint64_t bytes) {
  const std::uint64_t before = pointerOf<form>(cpu, op, place);
  const bool isBackward = (cpu.rflags & rflags::kDf) != 0;
  setPointer<form>(cpu, op, place, isBackward ? before - bytes : before + bytes);
}

template <Form form>
inline bool sourceAddress(Cpu& cpu, const Operation& op, std::uint64_t& address) {
  if constexpr (form == Form::any) {
    Operation source = op;
    source.base = number::kRsi;
    return effectiveAddress<Form::any>(cpu, source, address);
  }
  address = reg<std::uint64_t>(cpu, place::kRsi);
  return true;
}

template <Form form>
inline bool targetAddress(Cpu& cpu, const Operation& op, std::uint64_t& address) {
  if constexpr (form == Form::any) {
    Operation target = op;
    target.base = number::kRdi;
    target.segment = SegmentName::es;
    return effectiveAddress<Form::any>(cpu, target, address);
  }
  address = reg<std::uint64_t>(cpu, place::kRdi);
  return true;
}

// ---- the five: one() does an element but for the pointers, and is false if it stopped; run() does many that lie ahead
// (string_run.h), in 64-bit mode without FS and GS

struct MoveString {
  static constexpr bool kHasSource = true, kHasTarget = true, kCompares = false, kIsBulk = true;
  template <class T, Form form>
  static bool one(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
    std::uint64_t address = 0;
    T value;
    return sourceAddress<form>(cpu, op, address) && load(cpu, address, value) &&
           targetAddress<form>(cpu, op, address) && store(cpu, address, value);
  }
  template <class T>
  static std::uint64_t run(Cpu& cpu, std::uint64_t most, RepeatWhile /*repeatWhile*/, Flags& /*flags*/) {
    return copyRun<T>(cpu, reg<std::uint64_t>(cpu, place::kRsi), reg<std::uint64_t>(cpu, place::kRdi), most);
  }
};

struct StoreString {
  static constexpr bool kHasSource = false, kHasTarget = true, kCompares = false, kIsBulk = true;
  template <class T, Form form>
  static bool one(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
    std::uint64_t address = 0;
    return targetAddress<form>(cpu, op, address) && store(cpu, address, reg<T>(cpu, place::kRax));
  }
  template <class T>
  static std::uint64_t run(Cpu& cpu, std::uint64_t most, RepeatWhile /*repeatWhile*/, Flags& /*flags*/) {
    return fillRun(cpu, reg<std::uint64_t>(cpu, place::kRdi), reg<T>(cpu, place::kRax), most);
  }
};

struct LoadString {
  static constexpr bool kHasSource = true, kHasTarget = false, kCompares = false, kIsBulk = false;
  template <class T, Form form>
  static bool one(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
    std::uint64_t address = 0;
    T value;
    if (!sourceAddress<form>(cpu, op, address) || !load(cpu, address, value)) return false;
    setReg<T>(cpu, place::kRax, value);
    return true;
  }
  template <class T>
  static std::uint64_t run(Cpu& /*cpu*/, std::uint64_t /*most*/, RepeatWhile /*repeatWhile*/, Flags& /*flags*/) {
    return 0;  // nobody repeats it
  }
};

// Of two faults, processors report that of [rdi].
struct CompareStrings {
  static constexpr bool kHasSource = true, kHasTarget = true, kCompares = true, kIsBulk = false;
  template <class T, Form form>
  static bool one(Cpu& cpu, const Operation& op, Flags& flags) {
    std::uint64_t address = 0;
    T first, second;
    if (!targetAddress<form>(cpu, op, address) || !load(cpu, address, second)) return false;
    if (!sourceAddress<form>(cpu, op, address) || !load(cpu, address, first)) return false;
    Compare::apply(first, second, flags);
    return true;
  }
  template <class T>
  static std::uint64_t run(Cpu& cpu, std::uint64_t most, RepeatWhile repeatWhile, Flags& flags) {
    return compareRun<T>(cpu, reg<std::uint64_t>(cpu, place::kRsi), reg<std::uint64_t>(cpu, place::kRdi), most,
                         repeatWhile, flags);
  }
};

struct ScanString {
  static constexpr bool kHasSource = false, kHasTarget = true, kCompares = true, kIsBulk = false;
  template <class T, Form form>
  static bool one(Cpu& cpu, const Operation& op, Flags& flags) {
    std::uint64_t address = 0;
    T found;
    if (!targetAddress<form>(cpu, op, address) || !load(cpu, address, found)) return false;
    Compare::apply(reg<T>(cpu, place::kRax), found, flags);
    return true;
  }
  template <class T>
  static std::uint64_t run(Cpu& cpu, std::uint64_t most, RepeatWhile repeatWhile, Flags& flags) {
    return scanRun(cpu, reg<T>(cpu, place::kRax), reg<std::uint64_t>(cpu, place::kRdi), most, repeatWhile, flags);
  }
};

}  // namespace qm::soft
