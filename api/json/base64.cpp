#include "api/json/base64.h"

#include <array>
#include <cstdint>

namespace qm {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNoDigit = 0xff;

constexpr std::array<std::uint8_t, 256> digitOfCharacter() {
  std::array<std::uint8_t, 256> digits{};
  digits.fill(kNoDigit);
  for (std::size_t digit = 0; digit < kAlphabet.size(); ++digit) {
    digits[static_cast<std::uint8_t>(kAlphabet[digit])] = static_cast<std::uint8_t>(digit);
  }
  return digits;
}

constexpr std::array<std::uint8_t, 256> kDigits = digitOfCharacter();

}  // namespace

std::string toBase64(std::span<const std::byte> bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8U | (i < count ? std::to_integer<std::uint32_t>(bytes[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text.push_back(i <= count ? kAlphabet[group >> (18 - 6 * i) & 63U] : '=');
    }
  }
  return text;
}

Result<std::vector<std::byte>> fromBase64(std::string_view text) {
  const Error refused(Remedy::fixInput, "this is no base64 of RFC 4648, section 4");
  if (text.size() % 4 != 0) return refused;
  std::size_t padding = 0;
  while (padding < 2 && !text.empty() && text.back() == '=') {
    text.remove_suffix(1);
    ++padding;
  }
  std::vector<std::byte> bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t held = 0;
  unsigned heldBits = 0;
  for (const char character : text) {
    const std::uint8_t digit = kDigits[static_cast<std::uint8_t>(character)];
    if (digit == kNoDigit) return refused;
    held = held << 6U | digit;
    heldBits += 6;
    if (heldBits >= 8) {
      heldBits -= 8;
      bytes.push_back(static_cast<std::byte>(held >> heldBits & 0xffU));
    }
  }
  if ((held & ((1U << heldBits) - 1)) != 0) return refused;
  return bytes;
}

}  // namespace qm
