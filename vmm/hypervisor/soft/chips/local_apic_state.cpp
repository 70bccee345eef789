// The local APIC in a snapshot, as KVM_GET_LAPIC gives it without KVM_CAP_X2APIC_API: the register page of xAPIC mode
// in both modes, with the id in bits 31:24, and the ICR's halves apart.
#include <cstring>

#include "vmm/hypervisor/soft/chips/local_apic.h"

namespace qm::soft {

namespace {

void put(LocalApic& page, ApicRegister which, std::uint32_t value, std::size_t further = 0) {
  std::memcpy(page.registers.data() + static_cast<std::size_t>(which) + further * 16, &value, sizeof value);
}

std::uint32_t get(const LocalApic& page, ApicRegister which, std::size_t further = 0) {
  std::uint32_t value = 0;
  std::memcpy(&value, page.registers.data() + static_cast<std::size_t>(which) + further * 16, sizeof value);
  return value;
}

VectorSet getVectors(const LocalApic& page, ApicRegister first) {
  VectorSet vectors;
  for (std::size_t part = 0; part < 8; ++part) vectors.setPart(part, get(page, first, part));
  for (std::uint8_t vector = 0; vector < kFirstLegalVector; ++vector) vectors.remove(vector);
  return vectors;
}

}  // namespace

LocalApic LocalApicChip::save(std::uint64_t tsc) const {
  using enum ApicRegister;
  LocalApic page;
  for (const ApicRegister which :
       {version, taskPriority, processorPriority, logicalDestination, destinationFormat, spuriousVector, errorStatus,
        command, commandHigh, initialCount, currentCount, divideConfiguration}) {
    put(page, which, read(which, tsc));
  }
  put(page, id, id_ << 24U);
  for (std::size_t entry = 0; entry < kLvtCount; ++entry) put(page, lvtTimer, lvt_[entry], entry);
  for (std::size_t part = 0; part < 8; ++part) {
    put(page, inService, inService_.part(part), part);
    put(page, triggerMode, triggerMode_.part(part), part);
    put(page, request, request_.part(part), part);
  }
  return page;
}

// What is derived (id, version, processor priority) is not read. A deadline comes afterwards, as the MSR it is.
void LocalApicChip::load(const LocalApic& state, std::uint64_t tsc) {
  using enum ApicRegister;
  resetRegisters();
  taskPriority_ = static_cast<std::uint8_t>(get(state, taskPriority));
  logicalDestination_ = get(state, logicalDestination) & 0xff00'0000;
  destinationFormat_ = get(state, destinationFormat) | 0x0fff'ffff;
  spurious_ = get(state, spuriousVector) & spurious::kWritable;
  errorStatus_ = get(state, errorStatus) & 0xff;
  command_ = get(state, command) & command::kWritable;
  commandHigh_ = get(state, commandHigh) & (isX2() ? 0xffff'ffff : 0xff00'0000);
  for (std::size_t entry = 0; entry < kLvtCount; ++entry) {
    lvt_[entry] = get(state, lvtTimer, entry) & lvt::kWritable[entry];
  }
  inService_ = getVectors(state, inService);
  triggerMode_ = getVectors(state, triggerMode);
  request_ = getVectors(state, request);
  timer_.load(static_cast<TimerMode>((lvt_[kTimerEntry] & lvt::kTimerMode) >> 17U), get(state, divideConfiguration),
              get(state, initialCount), get(state, currentCount), tsc);
}

}  // namespace qm::soft
