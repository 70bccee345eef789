// Guest RAM as the VMM sees it. Everything in it is hostile: the guest changes it while it is read. So: read once into
// a copy, check the copy, use the copy. An address that is not RAM is an Error (fixInput) of whoever got it from the
// guest.
//
// Threads: any; concurrent access to the same bytes is as racy as on real hardware, and no worse: copies go byte by
// byte or by the atomic loads and stores below. What devices write is in the dirty bitmap; what vCPUs write is in the
// hypervisor's log; readers take the union.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "vmm/memory/dirty_bitmap.h"
#include "vmm/memory/guest_address.h"
#include "vmm/memory/layout.h"
#include "vmm/memory/page_run.h"
#include "vmm/os/mapping.h"
#include "vmm/result/result.h"

namespace qm {

class GuestMemory {
 public:
  // Zeroed RAM of this process alone.
  static Result<GuestMemory> anonymous(std::uint64_t bytes);
  // RAM that is the first `bytes` of `file`: shared (a memfd that others map too), or a private copy (what a clone has
  // of its template's memory file: pages are shared until written).
  static Result<GuestMemory> ofFile(const FileDescriptor& file, std::uint64_t bytes, Sharing sharing);
  // A private copy of a file that has holes there, of which each is memory of this process alone: to write to a hole
  // through a mapping puts a page into the file, which stays there and is charged to whoever was the first, and then
  // copies it. fixInput: they are not all within `bytes`.
  static Result<GuestMemory> ofSparseFile(const FileDescriptor& file, std::uint64_t bytes,
                                          std::span<const PageRun> holes);

  std::uint64_t bytes() const;

  // One contiguous piece of RAM and the host memory behind it. `host` stays valid as long as the GuestMemory lives.
  struct Region {
    MemoryRange range;
    std::span<std::byte> host;
  };
  // In ascending order; index = memory slot.
  std::vector<Region> regions() const;

  Status read(GuestAddress from, std::span<std::byte> into) const;
  Status write(GuestAddress to, std::span<const std::byte> bytes);

  // A trivially copyable object, copied out or in; host byte order is the guest's (both x86-64).
  template <class T>
    requires std::is_trivially_copyable_v<T>
  Result<T> readObject(GuestAddress from) const {
    T object;
    TRY(read(from, std::as_writable_bytes(std::span(&object, 1))));
    return object;
  }
  template <class T>
    requires std::is_trivially_copyable_v<T>
  Status writeObject(GuestAddress to, const T& object) {
    return write(to, std::as_bytes(std::span(&object, 1)));
  }

  // Ring indices: single accesses that the compiler neither splits nor repeats, with acquire and release order. The
  // address is aligned to 2, else fixInput.
  Result<std::uint16_t> loadAcquire16(GuestAddress from) const;
  Status storeRelease16(GuestAddress to, std::uint16_t value);

  // The host memory of [start, start + bytes), for readv/writev into guest buffers: contiguous within one region, never
  // beyond. Who writes through it calls markDirty afterwards. Do not parse through it.
  Result<std::span<std::byte>> hostRange(GuestAddress start, std::uint64_t bytes) const;
  void markDirty(GuestAddress start, std::uint64_t bytes);

  // Who learns of each write, write(), storeRelease16() and markDirty(), when its bytes are in memory; on the writer's
  // thread. Set once, before a second thread uses the memory; what it refers to lives until the last write.
  using WriteObserver = std::function<void(GuestAddress start, std::uint64_t bytes)>;
  void observeWrites(WriteObserver observer);

  // As it was when it was made, in the same place: zeros, or what the file holds; no page is marked, and who observed
  // writes does so no more. Nobody else uses the memory meanwhile. After an error it is neither old nor new.
  Status revert();

  // Pages of each region that devices wrote since the last call, as DirtyBitmap::take().
  std::vector<std::vector<std::uint64_t>> takeDeviceDirty();

 private:
  struct Backing {
    MemoryRange range;
    Mapping mapping;
    std::unique_ptr<DirtyBitmap> dirty;
  };
  explicit GuestMemory(std::vector<Backing> backings) : backings_(std::move(backings)) {}
  Status blank(const PageRun& hole);
  const Backing* find(GuestAddress start, std::uint64_t bytes) const;

  std::vector<Backing> backings_;
  WriteObserver observer_;  // empty: nobody
};

}  // namespace qm
