#include "tests/differ/case.h"

#include <charconv>
#include <cstring>

#include <fmt/format.h>

#include "vmm/result/check.h"

namespace qm::differ {

namespace {

// The byte of `subject` that lies at a sandbox address, or null.
template <class SomeCase>
auto byteAt(SomeCase& subject, std::uint64_t address) -> decltype(subject.data.data()) {
  const std::uint64_t offset = address - subject.slotStart();
  if (offset - kDataAt < kDataBytes) return &subject.data[offset - kDataAt];
  if (offset - kStackAt < kStackBytes) return &subject.stack[offset - kStackAt];
  return nullptr;
}

}  // namespace

std::string textOf(const CaseSeed& seed) {
  return fmt::format("{}:{:x}", nameOf(seed.family), seed.number);
}

std::optional<CaseSeed> parseCaseSeed(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return {};
  const std::optional<Family> family = familyNamed(text.substr(0, colon));
  const std::string_view digits = text.substr(colon + 1);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  if (!family || error != std::errc{} || end != digits.data() + digits.size()) return {};
  return CaseSeed{.family = *family, .number = number};
}

void poke(Case& subject, std::uint64_t address, std::span<const std::uint8_t> bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i)
    if (std::uint8_t* to = byteAt(subject, address + i)) *to = bytes[i];
}

void peek(const Case& subject, std::uint64_t address, std::span<std::uint8_t> bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::uint8_t* from = byteAt(subject, address + i);
    bytes[i] = from != nullptr ? *from : std::uint8_t{0};
  }
}

void poke64(Case& subject, std::uint64_t address, std::uint64_t value) {
  std::array<std::uint8_t, 8> bytes;
  std::memcpy(bytes.data(), &value, 8);
  poke(subject, address, bytes);
}

std::size_t numberOf(ZydisRegister name) {
  const ZyanI8 number = ZydisRegisterGetId(name);
  CHECK(number >= 0);
  return static_cast<unsigned char>(number);
}

std::optional<Gpr> gprOf(ZydisRegister name) {
  // In the order of the registers' numbers in encodings.
  static constexpr std::array kByNumber{Gpr::rax, Gpr::rcx, Gpr::rdx, Gpr::rbx, Gpr::rsp, Gpr::rbp, Gpr::rsi, Gpr::rdi,
                                        Gpr::r8,  Gpr::r9,  Gpr::r10, Gpr::r11, Gpr::r12, Gpr::r13, Gpr::r14, Gpr::r15};
  const ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, name);
  if (ZydisRegisterGetClass(whole) != ZYDIS_REGCLASS_GPR64) return {};
  return kByNumber[numberOf(whole)];
}

}  // namespace qm::differ
