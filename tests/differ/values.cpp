#include "tests/differ/values.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numbers>
#include <span>

namespace qm::differ {

namespace {

constexpr std::uint64_t kOne = 1;

std::uint64_t boundary(Random& random) {
  static constexpr std::array<std::uint8_t, 8> kWidths{4, 7, 8, 15, 16, 31, 32, 63};
  const std::uint64_t power = kOne << random.pick(kWidths);
  const std::uint64_t near = power + random.below(3) - 1;
  return random.oneIn(2) ? near : ~near + random.below(2);
}

template <class Bits>
struct Format {
  unsigned fractionBits;
  unsigned exponentBits;

  Bits maxExponent() const { return static_cast<Bits>((Bits{1} << exponentBits) - 1); }
  Bits assemble(Bits sign, Bits exponent, Bits fraction) const {
    return static_cast<Bits>(sign << (fractionBits + exponentBits) | exponent << fractionBits |
                             (fraction & ((Bits{1} << fractionBits) - 1)));
  }
};

// A fraction with few bits set at either end: where rounding and sticky bits decide.
template <class Bits>
Bits sparseFraction(Random& random, unsigned bits) {
  const Bits low = static_cast<Bits>(random.below(4));
  const Bits high = static_cast<Bits>(static_cast<Bits>(random.below(4)) << (bits - 2));
  const Bits middle = random.oneIn(2) ? static_cast<Bits>(Bits{1} << random.below(bits)) : Bits{0};
  return static_cast<Bits>(low | high | middle);
}

template <class Bits>
Bits interestingReal(Random& random, const Format<Bits>& format) {
  const Bits sign = static_cast<Bits>(random.below(2));
  const Bits bias = format.maxExponent() >> 1U;
  const Bits sparse = sparseFraction<Bits>(random, format.fractionBits);
  const Bits dense = static_cast<Bits>(random.next());
  const Bits fraction = random.oneIn(2) ? sparse : dense;
  switch (random.below(12)) {
    case 0:  // zero
      return format.assemble(sign, 0, 0);
    case 1:  // infinity
      return format.assemble(sign, format.maxExponent(), 0);
    case 2:  // a NaN of either kind, with a payload
      return format.assemble(sign, format.maxExponent(), fraction | 1U);
    case 3:  // denormal
      return format.assemble(sign, 0, fraction | 1U);
    case 4:  // least and greatest normal numbers
      return random.oneIn(2) ? format.assemble(sign, 1, sparse)
                             : format.assemble(sign, format.maxExponent() - 1, static_cast<Bits>(~sparse));
    case 5:  // a power of two
      return format.assemble(sign, bias, 0);
    case 6:  // around the limits of 16-, 32- and 64-bit integers
      return format.assemble(sign, bias + random.pick(std::array<Bits, 6>{14, 15, 30, 31, 62, 63}),
                             random.oneIn(2) ? sparse : static_cast<Bits>(~sparse));
    case 7:  // a small integer, or one and a half
      return format.assemble(sign, bias + static_cast<Bits>(random.below(6)),
                             static_cast<Bits>(random.below(16) << (format.fractionBits - 4)));
    case 8:  // underflows or overflows when multiplied
      return format.assemble(sign, random.oneIn(2) ? bias / 2 : bias + bias / 2, fraction);
    case 9:
      return static_cast<Bits>(random.next());
    default:  // near one, so that results stay in range
      return format.assemble(sign, bias - 8 + static_cast<Bits>(random.below(17)), fraction);
  }
}

std::array<std::uint8_t, 10> real80(std::uint16_t signExponent, std::uint64_t significand) {
  std::array<std::uint8_t, 10> bytes;
  std::memcpy(bytes.data(), &significand, 8);
  std::memcpy(bytes.data() + 8, &signExponent, 2);
  return bytes;
}

}  // namespace

std::uint64_t interestingInteger(Random& random) {
  switch (random.below(8)) {
    case 0:
      return random.below(4) - 1;  // -1, 0, 1, 2
    case 1:
      return random.below(70);
    case 2:
      return boundary(random);
    case 3:
      return kOne << random.below(64);
    case 4:
      return random.byte() * 0x0101'0101'0101'0101U;
    case 5:
      return boundary(random) << 32U | (boundary(random) & 0xffff'ffffU);
    default:
      return random.next();
  }
}

// SDM 1, 4.2.2: five bits of exponent, ten of fraction.
std::uint16_t interestingReal16(Random& random) {
  static constexpr std::array<std::uint16_t, 8> kLimits{0x0000, 0x0001, 0x03ff, 0x0400, 0x3c00, 0x7bff, 0x7c00, 0x7e01};
  const std::uint16_t sign = random.oneIn(2) ? 0x8000 : 0;
  const std::uint16_t magnitude =
      random.oneIn(2) ? random.pick(kLimits) : static_cast<std::uint16_t>(random.next() & 0x7fffU);
  return static_cast<std::uint16_t>(sign | magnitude);
}

std::uint32_t interestingReal32(Random& random) {
  if (random.oneIn(40)) return std::bit_cast<std::uint32_t>(std::numbers::pi_v<float>);
  return interestingReal<std::uint32_t>(random, {.fractionBits = 23, .exponentBits = 8});
}

std::uint64_t interestingReal64(Random& random) {
  if (random.oneIn(40)) return std::bit_cast<std::uint64_t>(std::numbers::pi);
  return interestingReal<std::uint64_t>(random, {.fractionBits = 52, .exponentBits = 11});
}

std::array<std::uint8_t, 10> interestingReal80(Random& random) {
  constexpr std::uint64_t kInteger = kOne << 63U;  // the explicit integer bit
  constexpr std::uint16_t kBias = 0x3fff, kMax = 0x7fff;
  const auto sign = static_cast<std::uint16_t>(random.below(2) << 15U);
  const std::uint64_t sparse = sparseFraction<std::uint64_t>(random, 63);
  const std::uint64_t fraction = (random.oneIn(2) ? sparse : random.next()) & ~kInteger;
  const auto exponent = [&](std::uint64_t value) { return static_cast<std::uint16_t>(sign | value); };
  switch (random.below(16)) {
    case 0:
      return real80(exponent(0), 0);
    case 1:
      return real80(exponent(kMax), kInteger);  // infinity
    case 2:
      return real80(exponent(kMax), kInteger | fraction | 1U);  // NaN
    case 3:
      return real80(exponent(0), fraction | 1U);  // denormal
    case 4:
      return real80(exponent(0), kInteger | fraction);  // pseudo-denormal
    case 5:                                             // pseudo-infinity, pseudo-NaN, unnormal: invalid since the 387
      return real80(exponent(random.oneIn(2) ? kMax : random.below(kMax)), random.oneIn(2) ? 0 : fraction);
    case 6:  // pi, the constant that FLDPI loads
      return real80(exponent(0x4000), 0xc90f'daa2'2168'c235);
    case 7:
      return real80(exponent(kBias), kInteger);
    case 8:  // the limits of integers
      return real80(exponent(kBias + random.pick(std::array<unsigned, 6>{14, 15, 30, 31, 62, 63})), kInteger | sparse);
    case 9:  // the limits of float and double
      return real80(exponent(kBias + random.pick(std::array<std::uint64_t, 6>{127, 128, 1023, 1024, 16382, 16383})),
                    random.oneIn(2) ? ~sparse | kInteger : kInteger | fraction);
    case 10:
      return real80(exponent(kBias - random.pick(std::array<std::uint64_t, 6>{126, 127, 149, 1022, 1074, 16382})),
                    kInteger | fraction);
    case 11:  // small integers and halves
      return real80(exponent(kBias + random.below(6)), kInteger | random.below(16) << 59U);
    case 12:
      return real80(exponent(random.below(kMax)), kInteger | fraction);
    default:
      return real80(exponent(kBias - 10 + random.below(21)), kInteger | fraction);
  }
}

std::array<std::uint8_t, 10> interestingDecimal80(Random& random) {
  std::array<std::uint8_t, 10> bytes{};
  const std::uint64_t digits = random.below(19);
  for (std::size_t i = 0; i < 18; ++i) {
    const std::uint64_t digit = i < digits ? random.below(10) : 0;
    bytes[i / 2] = static_cast<std::uint8_t>(bytes[i / 2] | digit << (i % 2 * 4));
  }
  bytes[9] = static_cast<std::uint8_t>(random.below(2) << 7U);
  if (random.oneIn(8)) bytes[random.below(10)] = random.byte();  // SDM 2A, FBLD: digits above 9 are undefined
  return bytes;
}

void fillInteresting(Random& random, Element kind, std::span<std::uint8_t> bytes) {
  const auto put = [&](std::size_t at, const auto& value) {
    std::memcpy(bytes.data() + at, &value, std::min(sizeof value, bytes.size() - at));
    return sizeof value;
  };
  const bool repeats = random.oneIn(7);
  const Random first = random;
  for (std::size_t at = 0; at < bytes.size();) {
    if (repeats) random = first;
    switch (kind) {
      case Element::integer:
        at += put(at, interestingInteger(random));
        break;
      case Element::real16:
        at += put(at, interestingReal16(random));
        break;
      case Element::real32:
        at += put(at, interestingReal32(random));
        break;
      case Element::real64:
        at += put(at, interestingReal64(random));
        break;
      case Element::real80:
        at += put(at, interestingReal80(random));
        break;
      case Element::decimal80:
        at += put(at, interestingDecimal80(random));
        break;
    }
  }
}

}  // namespace qm::differ
