// For tests of prepared code: a way to the VM behind a machine.
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "vmm/hypervisor/hypervisor.h"
#include "vmm/hypervisor/soft/prepared_code.h"
#include "vmm/memory/guest_memory.h"

namespace qm {

// A hypervisor, and the VM that it made last.
class Remembering final : public Hypervisor {
 public:
  explicit Remembering(std::unique_ptr<Hypervisor> real) : real_(std::move(real)) {}
  std::string name() const override { return real_->name(); }
  Result<CpuidTable> supportedCpuid() override { return real_->supportedCpuid(); }
  Result<std::unique_ptr<Vm>> createVm(PitModel pit) override {
    std::unique_ptr<Vm> made = TRY(real_->createVm(pit));
    last_ = made.get();
    return made;
  }
  CodePreparation& code() { return *last_->codePreparation(); }

 private:
  std::unique_ptr<Hypervisor> real_;
  Vm* last_ = nullptr;
};

// Prepares what `hints` tell of this memory; as a file that clones of it adopt.
inline FileDescriptor preparedFrom(const GuestMemory& memory, const std::vector<std::byte>& hints) {
  const MemoryDigest digest{};
  const auto prepared = prepareSoftCode(memory, digest, std::span(&hints, 1));
  EXPECT_TRUE(prepared.has_value()) << prepared.error().text();
  return sealSoftCode(*prepared, digest).value();
}

inline void adopt(CodePreparation& code, const FileDescriptor& prepared) {
  const Status adopted = code.adopt(prepared);
  EXPECT_TRUE(adopted.has_value()) << adopted.error().text();
}

}  // namespace qm
