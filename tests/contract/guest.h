// A small machine for a test: 2 MiB of RAM, vCPUs, and the tables a guest needs in 64-bit mode. Failures of the set-up
// and exits that nobody expects fail the test with a sentence (by exception, which GoogleTest reports).
//
// The first 4 GiB are mapped to themselves. A guest reports numbers by 4-byte writes to kReportPort and ends with one
// to kDonePort. An exception without a handler of its own fails the test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "tests/contract/contract_test.h"
#include "tests/contract/guest_code.h"
#include "vmm/hypervisor/hypervisor.h"
#include "vmm/os/mapping.h"

namespace qm::contract {

inline constexpr std::uint64_t kRamBytes = 2 * 1024 * 1024;
inline constexpr std::uint64_t kPageBytes = 4096;
inline constexpr GuestAddress kGdt{0x1000}, kIdt{0x2000}, kStubs{0x3000}, kStackTop{0x8000}, kCode{0x8000};
inline constexpr GuestAddress kPageTables{0x10000};  // the root; its pointers, and four directories of 2 MiB pages
inline constexpr GuestAddress kData{0x20000};        // free for tests, up to the end of RAM
inline constexpr GuestAddress kMmio{0xd000'0000};    // nothing is there
inline constexpr std::uint8_t kReportPort = 0x10, kDonePort = 0x11, kExceptionPort = 0x12;
inline constexpr std::uint16_t kCodeSelector = 0x08;

struct GuestShape {
  std::uint32_t vcpus = 1;
  PitModel pit = PitModel::absent;
  DirtyLogging dirtyLogging = DirtyLogging::off;
};

struct MachineSnapshot {
  std::vector<CpuState> cpus;
  VmState vm;
};

std::string describe(const VcpuExit& exit);

class Guest {
 public:
  Guest(Hypervisor& hypervisor, GuestShape shape = {});
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;
  ~Guest();

  // The code into RAM, and vCPU 0 to its first instruction.
  void startLongMode(const GuestCode& code);
  void startRealMode(const GuestCode& code);
  void place(const GuestCode& code) { write(code.origin(), code.bytes()); }
  void setHandler(std::uint8_t vector, GuestAddress handler);

  void write(GuestAddress to, std::span<const std::byte> bytes);
  template <class T>
  void writeObject(GuestAddress to, const T& object) {
    write(to, std::as_bytes(std::span(&object, 1)));
  }
  template <class T>
  T readObject(GuestAddress from) const {
    T object;
    std::memcpy(&object, ram_.bytes().subspan(from.value, sizeof object).data(), sizeof object);
    return object;
  }

  // Runs vCPU 0 to an exit; fails when that takes too long.
  VcpuExit run();
  // Runs to an exit that must be of this kind.
  template <class Exit>
  Exit runTo() {
    const VcpuExit exit = run();
    if (const auto* expected = std::get_if<Exit>(&exit)) return *expected;
    throw std::runtime_error("unexpected exit: " + describe(exit));
  }
  // Runs to the next report.
  std::uint32_t nextReport();
  // Runs to the guest's end: all it reported on the way.
  std::vector<std::uint32_t> runToEnd();

  MachineSnapshot save();
  // Into a fresh machine of the same shape, whose RAM is a copy.
  std::unique_ptr<Guest> copy(Hypervisor& hypervisor);
  std::unique_ptr<Guest> load(Hypervisor& hypervisor, const MachineSnapshot& snapshot) const;

  Vm& vm() { return *vm_; }
  Vcpu& vcpu(std::uint32_t index = 0) { return *vcpus_[index]; }
  std::span<std::byte> ram() const { return ram_.bytes(); }

 private:
  void writeTables();

  GuestShape shape_;
  Mapping ram_;  // outlives the VM
  std::unique_ptr<Vm> vm_;
  std::vector<std::unique_ptr<Vcpu>> vcpus_;
  std::atomic<bool> tookTooLong_{false};
  std::jthread watchdog_;  // kicks the vCPUs of a guest that hangs
};

}  // namespace qm::contract
