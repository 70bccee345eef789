#include "tests/contract/guest_code.h"

#include "vmm/result/check.h"

namespace qm::contract {

namespace {

std::uint8_t number(Reg reg) {
  return static_cast<std::uint8_t>(reg);
}

unsigned low(Reg reg) {
  return number(reg) & 7U;
}

bool isHigh(Reg reg) {
  return number(reg) >= 8;
}

// Opcodes come in pairs: the even one moves bytes, the odd one words and more.
std::uint8_t sized(std::uint8_t byteOpcode, Width width) {
  return width == Width::byte ? byteOpcode : static_cast<std::uint8_t>(byteOpcode + 1);
}

}  // namespace

void GuestCode::raw(std::initializer_list<std::uint8_t> bytes) {
  for (const std::uint8_t value : bytes) bytes_.push_back(std::byte{value});
}

void GuestCode::little(std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) bytes_.push_back(static_cast<std::byte>(value >> (8 * i)));
}

GuestCode::Label GuestCode::label() {
  labels_.emplace_back();
  return Label(labels_.size() - 1);
}

void GuestCode::bind(Label label) {
  Place& place = labels_[label.index_];
  CHECK(!place.offset);
  place.offset = bytes_.size();
  for (const std::size_t at : place.waiting) patch(at, bytes_.size());
}

GuestCode::Label GuestCode::here() {
  const Label fresh = label();
  bind(fresh);
  return fresh;
}

GuestAddress GuestCode::address(Label label) const {
  CHECK(labels_[label.index_].offset);
  return origin_ + *labels_[label.index_].offset;
}

// A branch's distance counts from the next instruction.
void GuestCode::branch(std::initializer_list<std::uint8_t> opcode, Label to) {
  raw(opcode);
  const std::size_t at = bytes_.size();
  little(0, size_ == CodeSize::bits64 ? 4 : 2);
  Place& place = labels_[to.index_];
  if (place.offset) {
    patch(at, *place.offset);
  } else {
    place.waiting.push_back(at);
  }
}

void GuestCode::patch(std::size_t at, std::size_t target) {
  const std::size_t bytes = size_ == CodeSize::bits64 ? 4 : 2;
  const std::uint64_t distance = target - (at + bytes);
  for (std::size_t i = 0; i < bytes; ++i) bytes_[at + i] = static_cast<std::byte>(distance >> (8 * i));
}

// 0x66 switches between 16 and 32 bits, whichever is not the code's own.
void GuestCode::operandSize(Width width) {
  const bool prefix = size_ == CodeSize::bits64 ? width == Width::word : width == Width::dword;
  if (prefix) raw({0x66});
}

void GuestCode::out(std::uint8_t port, Width width) {
  operandSize(width);
  raw({sized(0xe6, width), port});
}

void GuestCode::in(std::uint8_t port, Width width) {
  operandSize(width);
  raw({sized(0xe4, width), port});
}

void GuestCode::outDx(Width width) {
  operandSize(width);
  raw({sized(0xee, width)});
}

void GuestCode::inDx(Width width) {
  operandSize(width);
  raw({sized(0xec, width)});
}

void GuestCode::outs(Width width, Repeat repeat) {
  if (repeat == Repeat::rcxTimes) raw({0xf3});
  operandSize(width);
  raw({sized(0x6e, width)});
}

void GuestCode::ins(Width width, Repeat repeat) {
  if (repeat == Repeat::rcxTimes) raw({0xf3});
  operandSize(width);
  raw({sized(0x6c, width)});
}

void GuestCode::move(Reg to, std::uint64_t value) {
  if (size_ == CodeSize::bits16) {
    CHECK(!isHigh(to) && value <= 0xffff);
    raw({static_cast<std::uint8_t>(0xb8 + low(to))});
    little(value, 2);
    return;
  }
  rexPrefix(true, Reg::rax, to);
  raw({static_cast<std::uint8_t>(0xb8 + low(to))});
  little(value, 8);
}

void GuestCode::clearDs() {
  CHECK(size_ == CodeSize::bits16);
  raw({0x31, 0xc0, 0x8e, 0xd8});
}

void GuestCode::lockIncrement16(std::uint16_t address) {
  CHECK(size_ == CodeSize::bits16);
  raw({0xf0, 0xff, 0x06});
  little(address, 2);
}

void GuestCode::rexPrefix(bool wide, Reg reg, Reg rm) {
  CHECK(size_ == CodeSize::bits64);
  const unsigned bits = 0x40U | (wide ? 8U : 0U) | (isHigh(reg) ? 4U : 0U) | (isHigh(rm) ? 1U : 0U);
  raw({static_cast<std::uint8_t>(bits)});
}

// Register to register, 64 bits.
void GuestCode::rex(std::initializer_list<std::uint8_t> opcode, Reg reg, Reg rm) {
  rexPrefix(true, reg, rm);
  raw(opcode);
  raw({static_cast<std::uint8_t>(0xc0U | low(reg) << 3U | low(rm))});
}

// [at] without displacement; rsp and rbp (and r12, r13) would mean something else there.
void GuestCode::modrmMemory(std::uint8_t reg, Reg at) {
  CHECK(low(at) != 4 && low(at) != 5);
  raw({static_cast<std::uint8_t>((unsigned{reg} & 7U) << 3U | low(at))});
}

void GuestCode::memory(std::initializer_list<std::uint8_t> opcode, std::uint8_t reg, Reg at) {
  rexPrefix(false, Reg{reg}, at);
  raw(opcode);
  modrmMemory(reg, at);
}

void GuestCode::shiftRight(Reg which, std::uint8_t bits) {
  rex({0xc1}, Reg{5}, which);
  raw({bits});
}

void GuestCode::push(Reg which) {
  rexPrefix(false, Reg::rax, which);
  raw({static_cast<std::uint8_t>(0x50 + low(which))});
}

void GuestCode::pop(Reg which) {
  rexPrefix(false, Reg::rax, which);
  raw({static_cast<std::uint8_t>(0x58 + low(which))});
}

void GuestCode::load(Reg to, Reg at, Width width) {
  if (width == Width::word) {
    memory({0x0f, 0xb7}, number(to), at);  // movzx
  } else if (width == Width::byte) {
    memory({0x0f, 0xb6}, number(to), at);  // movzx
  } else {
    rexPrefix(width == Width::qword, to, at);
    raw({0x8b});
    modrmMemory(number(to), at);
  }
}

void GuestCode::store(Reg at, Reg from, Width width) {
  operandSize(width);
  rexPrefix(width == Width::qword, from, at);
  raw({sized(0x88, width)});
  modrmMemory(number(from), at);
}

void GuestCode::storeImmediate(Reg at, std::uint32_t value) {
  memory({0xc7}, 0, at);
  little(value, 4);
}

void GuestCode::lockIncrement(Reg at) {
  raw({0xf0});
  rexPrefix(true, Reg::rax, at);
  raw({0xff});
  modrmMemory(0, at);
}

void GuestCode::lockCompareExchange16(Reg at) {
  raw({0xf0});
  rexPrefix(true, Reg::rax, at);
  raw({0x0f, 0xc7});
  modrmMemory(1, at);
}

void GuestCode::moveFromControl(Reg to, std::uint8_t number) {
  rexPrefix(false, Reg{number}, to);
  raw({0x0f, 0x20, static_cast<std::uint8_t>(0xc0U | (number & 7U) << 3U | low(to))});
}

void GuestCode::moveToControl(std::uint8_t number, Reg from) {
  rexPrefix(false, Reg{number}, from);
  raw({0x0f, 0x22, static_cast<std::uint8_t>(0xc0U | (number & 7U) << 3U | low(from))});
}

void GuestCode::moveFromDebug(Reg to, std::uint8_t number) {
  rexPrefix(false, Reg{number}, to);
  raw({0x0f, 0x21, static_cast<std::uint8_t>(0xc0U | (number & 7U) << 3U | low(to))});
}

void GuestCode::moveToDebug(std::uint8_t number, Reg from) {
  rexPrefix(false, Reg{number}, from);
  raw({0x0f, 0x23, static_cast<std::uint8_t>(0xc0U | (number & 7U) << 3U | low(from))});
}

void GuestCode::invalidatePage(Reg at) {
  memory({0x0f, 0x01}, 7, at);
}

void GuestCode::loadXmm(std::uint8_t xmm, Reg at) {
  raw({0xf3});
  memory({0x0f, 0x6f}, xmm, at);
}

void GuestCode::storeXmm(Reg at, std::uint8_t xmm) {
  raw({0xf3});
  memory({0x0f, 0x7f}, xmm, at);
}

void GuestCode::poke(std::uint64_t address, std::uint32_t value) {
  move(Reg::rdi, address);
  storeImmediate(Reg::rdi, value);
}

void GuestCode::writeMsr(std::uint32_t index, std::uint64_t value) {
  move(Reg::rcx, index);
  move(Reg::rax, value & 0xffff'ffffU);
  move(Reg::rdx, value >> 32U);
  wrmsr();
}

void GuestCode::report(std::uint8_t port, Reg from) {
  if (from != Reg::rax) move(Reg::rax, from);
  out(port, Width::dword);
}

void GuestCode::report(std::uint8_t port, std::uint32_t value) {
  move(Reg::rax, value);
  out(port, Width::dword);
}

}  // namespace qm::contract
