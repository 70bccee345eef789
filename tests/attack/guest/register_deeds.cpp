// Registers: every one, in every width, with values that no driver writes. Not ports: the guest's kernel lets no
// program have them (tests/attack/bare has).
#include <array>
#include <cstdint>
#include <string>

#include "tests/attack/guest/deeds.h"
#include "tests/attack/guest/physical.h"
#include "tests/attack/guest/virtio_queue.h"

namespace hostile {

namespace {

constexpr std::array<unsigned, 4> kWidths{1, 2, 4, 8};
constexpr std::array<std::uint64_t, 4> kValues{0, ~std::uint64_t{0}, 0x5555'5555'5555'5555, 0x8000'0000'8000'0001};

void touchEverything(const Window& window) {
  if (!window.isMapped()) return;
  for (const unsigned width : kWidths) {
    for (std::uint64_t offset = 0; offset + width <= 4096; offset += width) (void)window.read(offset, width);
    for (const std::uint64_t value : kValues) {
      for (std::uint64_t offset = 0; offset + width <= 4096; offset += width) window.write(offset, width, value);
    }
  }
}

void touchEveryRegister() {
  for (const Window& window : virtioWindows()) {
    touchEverything(window);
    // Misaligned, and across two registers.
    for (std::uint64_t offset = 1; offset < 0x110; offset += 3) {
      (void)window.read(offset, 4);
      window.write(offset, 4, ~0ULL);
    }
  }
}

// The boot timer, the window behind the last device, the interrupt controllers, what is nobody's.
void touchEveryChip() {
  for (const std::uint64_t address : {0xc000'0000ULL, 0xc000'f000ULL, 0xc00f'f000ULL, 0xd000'0000ULL, 0xfec0'0000ULL,
                                      0xfed0'0000ULL, 0xfee0'0000ULL, 0xffff'f000ULL}) {
    touchEverything(Window(address));
  }
}

void writeStatusByChance() {
  Chance chance(1);
  for (const Window& window : virtioWindows()) {
    for (int i = 0; i < 4000; ++i) {
      constexpr std::array<std::uint64_t, 9> kRegisters{0x14, 0x20, 0x24, 0x30, 0x38, 0x44, 0x50, 0x64, 0x70};
      const std::uint64_t number = chance.next();
      window.write32(kRegisters[number % kRegisters.size()], static_cast<std::uint32_t>(number >> 20U) & 0xffU);
    }
  }
}

void floodTheConsole() {
  const std::string line(900, '.');
  for (int i = 0; i < 200; ++i) say(line);
}

constexpr std::array kDeeds{
    Deed{"every-register", touchEveryRegister},
    Deed{"every-chip", touchEveryChip},
    Deed{"status-by-chance", writeStatusByChance},
    Deed{"console-flood", floodTheConsole},
};

}  // namespace

std::span<const Deed> registerDeeds() {
  return kDeeds;
}

}  // namespace hostile
