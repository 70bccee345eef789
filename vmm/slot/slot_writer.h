// The VMM's side of its slot page: says how it goes. Never fails and never waits.
//
// Threads: move(), mark(), populated() and the beats are the loop's (the main thread's before the loop runs); a vCPU's
// cells are that vCPU's thread's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "vmm/os/file_descriptor.h"
#include "vmm/os/mapping.h"
#include "vmm/result/result.h"
#include "vmm/slot/slot_fields.h"

namespace qm::slot {

// Where whoever starts a VMM puts its page among the descriptors: it gives it this number and says so by --slot.
inline constexpr int kDescriptorNumber = 4;

class Writer {
 public:
  // Maps the page and lets go of the descriptor. fixInput: no slot page, or one of another version.
  static Result<Writer> open(FileDescriptor page);

  // CHECKs that the step is legal, unless it is none. Each `loading` begins another guest.
  void move(State to);
  State state() const;
  // Time, CPU and faults as they are; a later guest's take an earlier one's place.
  void mark(Moment moment);
  void populated(std::uint64_t pages);
  void beatBegins();
  void beatEnds();

  // One of a machine's vCPUs, by its index below kVcpus. What it has done since it was made; a vCPU that is made in its
  // place begins anew, and the page's sums go on.
  void counted(std::size_t vcpu, std::uint64_t instructions, std::uint64_t decoded);
  void exited(std::size_t vcpu, ExitKind kind);

 private:
  explicit Writer(Mapping mapping) : mapping_(std::move(mapping)) {}
  Page& page() const { return *reinterpret_cast<Page*>(mapping_.bytes().data()); }

  // What a vCPU said last; its thread's own.
  struct alignas(128) Told {
    std::uint64_t instructions = 0, decoded = 0;
  };

  Mapping mapping_;
  std::unique_ptr<std::array<Told, kVcpus>> told_ = std::make_unique<std::array<Told, kVcpus>>();
};

}  // namespace qm::slot
