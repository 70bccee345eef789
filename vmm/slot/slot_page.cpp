#include "vmm/slot/slot_page.h"

#include <fcntl.h>

#include <array>
#include <bit>
#include <cerrno>
#include <new>

namespace qm::slot {

namespace {

// In the order of the page, each once: a mark's time, which its writer stores last, so comes before what it vouches
// for.
Copy copyOf(const Mapping& mapping) {
  constexpr std::size_t kWords = sizeof(Copy) / sizeof(std::uint64_t);
  const auto* const cells = reinterpret_cast<const Cell*>(mapping.bytes().data());
  std::array<std::uint64_t, kWords> words{};
  for (std::size_t i = 0; i < kWords; ++i) words[i] = cells[i].load(std::memory_order_acquire);
  return std::bit_cast<Copy>(words);
}

}  // namespace

Result<SlotPage> SlotPage::make() {
  FileDescriptor file = TRY(createMemfd("quickmatch-slot", kPageBytes));
  constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  if (::fcntl(file.get(), F_ADD_SEALS, kSeals) < 0) return systemError("seal a slot page", errno);
  Mapping mapping = TRY(Mapping::ofFile(file, 0, kPageBytes, Sharing::shared, Access::readWrite));
  Page* const page = new (mapping.bytes().data()) Page();
  page->maker.version.store(kVersion, std::memory_order_relaxed);
  page->maker.magic.store(kMagic, std::memory_order_release);
  return SlotPage(std::move(file), std::move(mapping), std::chrono::steady_clock::now());
}

Result<View> SlotPage::read() {
  if (refused_) return *refused_;
  const Copy copy = copyOf(mapping_);
  Result<View> view = checked(copy, madeAt_, std::chrono::steady_clock::now());
  if (view.has_value() && last_) {
    const Status course = checkCourse(*last_, *view);
    if (!course.has_value()) view = course.error();
  }
  if (!view.has_value()) {
    refused_ = view.error();
    return view;
  }
  last_ = *view;
  return view;
}

}  // namespace qm::slot
