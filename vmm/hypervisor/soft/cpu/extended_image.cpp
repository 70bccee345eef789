#include "vmm/hypervisor/soft/cpu/extended_image.h"

#include <cstring>

namespace qm::soft {

namespace {

constexpr std::size_t kFcw = 0, kFsw = 2, kFtw = 4, kFop = 6, kFip = 8, kFdp = 16, kMxcsrMask = 28;

template <class T>
void put(ExtendedImage& image, std::size_t at, const T& value) {
  std::memcpy(image.data() + at, &value, sizeof value);
}
template <class T>
T get(const ExtendedImage& image, std::size_t at) {
  T value;
  std::memcpy(&value, image.data() + at, sizeof value);
  return value;
}

// Which physical register ST(i) is.
std::size_t physicalOf(std::uint16_t status, std::size_t i) {
  return ((status >> 11U & 7U) + i) % 8;
}

}  // namespace

void putX87(ExtendedImage& image, const Cpu& cpu, PointerWidth width) {
  const X87State& x87 = cpu.x87;
  put(image, kFcw, x87.control);
  put(image, kFsw, x87.status);
  put(image, kFtw, x87.occupied);
  put(image, kFop, x87.opcode);
  const std::uint64_t mask = width == PointerWidth::bits64 ? ~std::uint64_t{0} : 0xffff'ffff;
  put(image, kFip, x87.instruction & mask);
  put(image, kFdp, x87.operand & mask);
  for (std::size_t i = 0; i < 8; ++i) put(image, kStStart + i * 16, x87.physical[physicalOf(x87.status, i)]);
}

void putMxcsr(ExtendedImage& image, const Cpu& cpu) {
  put(image, kMxcsrStart, cpu.mxcsr);
  put(image, kMxcsrMask, kMxcsrBits);
}

void putXmm(ExtendedImage& image, const Cpu& cpu) {
  for (std::size_t i = 0; i < cpu.ymm.size(); ++i) put(image, kXmmStart + i * 16, cpu.ymm[i].low);
}

void putUpperHalves(ExtendedImage& image, const Cpu& cpu) {
  for (std::size_t i = 0; i < cpu.ymm.size(); ++i) put(image, kUpperStart + i * 16, cpu.ymm[i].high);
}

void getX87(const ExtendedImage& image, Cpu& cpu, PointerWidth width) {
  X87State& x87 = cpu.x87;
  loadWords(x87, get<std::uint16_t>(image, kFcw), get<std::uint16_t>(image, kFsw));
  x87.occupied = get<std::uint8_t>(image, kFtw);
  x87.opcode = get<std::uint16_t>(image, kFop) & 0x7ffU;
  const std::uint64_t mask = width == PointerWidth::bits64 ? ~std::uint64_t{0} : 0xffff'ffff;
  x87.instruction = get<std::uint64_t>(image, kFip) & mask;
  x87.operand = get<std::uint64_t>(image, kFdp) & mask;
  for (std::size_t i = 0; i < 8; ++i)
    x87.physical[physicalOf(x87.status, i)] = get<ExtendedReal>(image, kStStart + i * 16);
}

void getXmm(const ExtendedImage& image, Cpu& cpu) {
  for (std::size_t i = 0; i < cpu.ymm.size(); ++i) cpu.ymm[i].low = get<Vector>(image, kXmmStart + i * 16);
}

void getUpperHalves(const ExtendedImage& image, Cpu& cpu) {
  for (std::size_t i = 0; i < cpu.ymm.size(); ++i) cpu.ymm[i].high = get<Vector>(image, kUpperStart + i * 16);
}

void clearXmm(Cpu& cpu) {
  for (WideVector& value : cpu.ymm) value.low = {};
}

void clearUpperHalves(Cpu& cpu) {
  for (WideVector& value : cpu.ymm) value.high = {};
}

std::uint32_t mxcsrOf(const ExtendedImage& image) {
  return get<std::uint32_t>(image, kMxcsrStart);
}

std::uint64_t headerWord(const ExtendedImage& image, std::size_t word) {
  return get<std::uint64_t>(image, kHeader + word * 8);
}

void setHeaderWord(ExtendedImage& image, std::size_t word, std::uint64_t value) {
  put(image, kHeader + word * 8, value);
}

std::uint64_t componentsInUse(const Cpu& cpu) {
  std::uint64_t inUse = 0;
  if (cpu.x87 != X87State{}) inUse |= kX87Component;
  for (const WideVector& value : cpu.ymm) {
    if (value.low != Vector{}) inUse |= kSseComponent;
    if (value.high != Vector{}) inUse |= kAvxComponent;
  }
  return inUse;
}

}  // namespace qm::soft
