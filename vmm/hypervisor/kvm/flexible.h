// KVM's structs that end in an array: a header and `count` entries in one allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <type_traits>
#include <vector>

namespace qm::kvm {

template <class Header, class Entry>
class Flexible {
  static_assert(std::is_trivially_copyable_v<Header> && std::is_trivially_copyable_v<Entry>);

 public:
  explicit Flexible(std::size_t count) : storage_((sizeof(Header) + count * sizeof(Entry) + 7) / 8), count_(count) {}

  Header* header() { return reinterpret_cast<Header*>(storage_.data()); }
  std::span<Entry> entries() {
    return {reinterpret_cast<Entry*>(reinterpret_cast<std::byte*>(storage_.data()) + sizeof(Header)), count_};
  }

 private:
  std::vector<std::uint64_t> storage_;  // zeroed, aligned for both
  std::size_t count_;
};

}  // namespace qm::kvm
