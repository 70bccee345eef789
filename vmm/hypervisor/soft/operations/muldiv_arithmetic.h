// The arithmetic of multiplication and division: products of twice the operands' width by the host's own instruction
// and its flags; quotients after a check that makes the host's division safe.
#pragma once

#include <cstdint>
#include <optional>
#include <type_traits>

#include "vmm/hypervisor/soft/cpu/flags.h"

namespace qm::soft {

// A number of twice T's width.
template <class T>
struct Double {
  T low, high;
};

// MUL: CF and OF tell whether the upper half is of use; the other flags are undefined, and the host's.
struct Multiply {
  template <class T>
  static Double<T> apply(T a, T b, Flags& flags) {
    std::uint64_t accumulator = a, whole;
    T high = 0;
    if constexpr (sizeof(T) == 1) {
      asm("mul %[b]\n\tmov %%rax, %[whole]\n\tlahf\n\tseto %%al"
          : "+&a"(accumulator), [whole] "=&r"(whole)
          : [b] "r"(b)
          : "cc");
      high = static_cast<T>(whole >> 8U);
    } else {
      asm("mul %[b]\n\tmov %%rax, %[whole]\n\tlahf\n\tseto %%al"
          : "+&a"(accumulator), "=&d"(high), [whole] "=&r"(whole)
          : [b] "r"(b)
          : "cc");
    }
    flags = accumulator;
    return {.low = static_cast<T>(whole), .high = high};
  }
};

// IMUL with one operand.
struct MultiplySigned {
  template <class T>
  static Double<T> apply(T a, T b, Flags& flags) {
    std::uint64_t accumulator = a, whole;
    T high = 0;
    if constexpr (sizeof(T) == 1) {
      asm("imul %[b]\n\tmov %%rax, %[whole]\n\tlahf\n\tseto %%al"
          : "+&a"(accumulator), [whole] "=&r"(whole)
          : [b] "r"(b)
          : "cc");
      high = static_cast<T>(whole >> 8U);
    } else {
      asm("imul %[b]\n\tmov %%rax, %[whole]\n\tlahf\n\tseto %%al"
          : "+&a"(accumulator), "=&d"(high), [whole] "=&r"(whole)
          : [b] "r"(b)
          : "cc");
    }
    flags = accumulator;
    return {.low = static_cast<T>(whole), .high = high};
  }
};

// IMUL with two or three operands: the product's lower half.
template <class T>
inline T multiplyToLow(T a, T b, Flags& flags) {
  std::uint32_t after;
  asm("imul %[b], %[a]\n\tlahf\n\tseto %%al" : [a] "+&r"(a), "=&a"(after) : [b] "r"(b) : "cc");
  flags = after;
  return a;
}

template <class T>
struct Division {
  T quotient, remainder;
};

// Nothing: #DE, for the divisor is 0 or the quotient too large (SDM 2, DIV). The quotient fits if and only if the
// dividend's upper half is smaller than the divisor.
struct Divide {
  template <class T>
  static std::optional<Division<T>> apply(Double<T> dividend, T divisor) {
    if (dividend.high >= divisor) return std::nullopt;
    if constexpr (sizeof(T) == 1) {
      const auto whole = static_cast<std::uint16_t>(dividend.high << 8U | dividend.low);
      return Division<T>{.quotient = static_cast<T>(whole / divisor), .remainder = static_cast<T>(whole % divisor)};
    } else {
      asm("div %[divisor]" : "+a"(dividend.low), "+d"(dividend.high) : [divisor] "r"(divisor) : "cc");
      return Division<T>{.quotient = dividend.low, .remainder = dividend.high};
    }
  }
};

// IDIV, by magnitudes: truncates towards 0, the remainder has the dividend's sign.
struct DivideSigned {
  template <class T>
  static constexpr bool isNegative(T value) {
    return static_cast<std::make_signed_t<T>>(value) < 0;
  }
  template <class T>
  static constexpr T negated(T value) {
    return static_cast<T>(~value + 1U);
  }
  template <class T>
  static constexpr Double<T> negated(Double<T> value) {
    const T low = negated(value.low);
    const T high = low == 0 ? negated(value.high) : static_cast<T>(~value.high);
    return {.low = low, .high = high};
  }

  template <class T>
  static std::optional<Division<T>> apply(Double<T> dividend, T divisor) {
    const bool minusDividend = isNegative(dividend.high), minusDivisor = isNegative(divisor);
    const auto sizes =
        Divide::apply<T>(minusDividend ? negated(dividend) : dividend, minusDivisor ? negated(divisor) : divisor);
    if (!sizes) return std::nullopt;
    const bool minusQuotient = minusDividend != minusDivisor;
    const T quotient = minusQuotient ? negated(sizes->quotient) : sizes->quotient;
    if (quotient != 0 && isNegative(quotient) != minusQuotient) return std::nullopt;
    return Division<T>{.quotient = quotient, .remainder = minusDividend ? negated(sizes->remainder) : sizes->remainder};
  }
};

}  // namespace qm::soft
