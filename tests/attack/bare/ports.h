// The port instructions (Intel SDM 2, IN, OUT, INS, OUTS), each in every width: 1, 2 or 4 bytes.
#pragma once

#include <cstdint>

namespace hostile {

inline std::uint32_t readPort(std::uint16_t port, unsigned width) {
  std::uint32_t value = 0;
  switch (width) {
    case 1:
      asm volatile("inb %w1, %b0" : "+a"(value) : "Nd"(port));
      return value;
    case 2:
      asm volatile("inw %w1, %w0" : "+a"(value) : "Nd"(port));
      return value;
    default:
      asm volatile("inl %w1, %0" : "+a"(value) : "Nd"(port));
      return value;
  }
}

inline void writePort(std::uint16_t port, unsigned width, std::uint32_t value) {
  switch (width) {
    case 1:
      asm volatile("outb %b0, %w1" ::"a"(value), "Nd"(port));
      return;
    case 2:
      asm volatile("outw %w0, %w1" ::"a"(value), "Nd"(port));
      return;
    default:
      asm volatile("outl %0, %w1" ::"a"(value), "Nd"(port));
  }
}

enum class Direction : std::uint8_t { up, down };

// REP INS, REP OUTS: so many elements, from an address on.
inline void readString(std::uint16_t port, unsigned width, std::uint64_t to, std::uint64_t count, Direction direction) {
  if (direction == Direction::down) asm volatile("std");
  switch (width) {
    case 1:
      asm volatile("rep insb" : "+D"(to), "+c"(count) : "d"(port) : "memory");
      break;
    case 2:
      asm volatile("rep insw" : "+D"(to), "+c"(count) : "d"(port) : "memory");
      break;
    default:
      asm volatile("rep insl" : "+D"(to), "+c"(count) : "d"(port) : "memory");
  }
  asm volatile("cld");
}

inline void writeString(std::uint16_t port, unsigned width, std::uint64_t from, std::uint64_t count,
                        Direction direction) {
  if (direction == Direction::down) asm volatile("std");
  switch (width) {
    case 1:
      asm volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(port) : "memory");
      break;
    case 2:
      asm volatile("rep outsw" : "+S"(from), "+c"(count) : "d"(port) : "memory");
      break;
    default:
      asm volatile("rep outsl" : "+S"(from), "+c"(count) : "d"(port) : "memory");
  }
  asm volatile("cld");
}

}  // namespace hostile
