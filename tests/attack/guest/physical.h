// The machine without the kernel's drivers: device windows through /dev/mem, ports, pages with their guest addresses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hostile {

// One page of guest-physical addresses, which is mapped until the program ends. Widths are in bytes: 1, 2, 4 or 8.
class Window {
 public:
  explicit Window(std::uint64_t address);
  bool isMapped() const { return base_ != nullptr; }
  std::uint64_t read(std::uint64_t offset, unsigned width) const;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) const;
  std::uint32_t read32(std::uint64_t offset) const { return static_cast<std::uint32_t>(read(offset, 4)); }
  void write32(std::uint64_t offset, std::uint32_t value) const { write(offset, 4, value); }

 private:
  volatile std::uint8_t* base_ = nullptr;
};

// A page of our own that stays where it is.
struct Page {
  std::uint8_t* bytes = nullptr;
  std::uint64_t address = 0;  // as the machine sees it
};
Page makePage();

// By the kernel's log, whose console waits for the serial port itself: interrupts may be what a deed has broken.
void say(std::string_view line);

// The same numbers in every run.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();

 private:
  std::uint64_t state_;
};

}  // namespace hostile
