// Preparing a snapshot's code for all its clones: what stands behind CodePreparation for the CPU in software. A trial
// clone's hints and the snapshot's verified memory become a file, once; each clone adopts that file.
//
//   bytes  = prepareSoftCode(memory, digest, {hints of trial clones})     in a process of the VMM's program, no guest
//   sealed = sealSoftCode(bytes, digest)                                  there, or wherever the bytes come from a
//   store vm.codePreparation()->adopt(sealed)                                   in each clone, before it runs
//
// The bytes hold for one program and one kind of host (blocks/semantics_id.h): adopt() refuses what another one made,
// and the clone decodes for itself. They decide what clones execute, so either they are kept by digest where the
// snapshot is, or only the hints are kept and the bytes made again from them (some milliseconds) whenever a template is
// prepared, which also settles what another program means.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "vmm/memory/guest_memory.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

// SHA-256 of the snapshot's memory file.
using MemoryDigest = std::array<std::byte, 32>;

// `memory` is the snapshot's, as saved; it is read only. Lists of hints that cannot be read are fixInput; hints that do
// not fit the memory are left out. giveUp: this program has no build id.
Result<std::vector<std::byte>> prepareSoftCode(const GuestMemory& memory, const MemoryDigest& digest,
                                               std::span<const std::vector<std::byte>> hints);

// fixInput: damaged, or of another memory: prepare it again.
Result<FileDescriptor> sealSoftCode(std::span<const std::byte> prepared, const MemoryDigest& digest);

}  // namespace qm
