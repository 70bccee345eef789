// What this program frees is zeros from then on: devices' buffers and vCPUs hold what a guest said, and where a VM is
// reset for another tenant (docs/security.md) nothing of it may lie about in the heap. These two stand for all forms of
// delete, which call them unless replaced (C++23, [new.delete]).
#include <malloc.h>

#include <cstdlib>
#include <cstring>
#include <new>

namespace {

void wipeAndFree(void* pointer) noexcept {
  if (pointer == nullptr) return;
  ::explicit_bzero(pointer, ::malloc_usable_size(pointer));
  std::free(pointer);
}

}  // namespace

void operator delete(void* pointer) noexcept {
  wipeAndFree(pointer);
}

void operator delete(void* pointer, std::align_val_t /*alignment*/) noexcept {
  wipeAndFree(pointer);
}
