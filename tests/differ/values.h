// Values at which instructions are known to go wrong: boundaries of integers, and every class of number of each
// floating format. Bit patterns, little-endian as in memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "tests/differ/random.h"

namespace qm::differ {

// What an element of an operand is taken for.
enum class Element : std::uint8_t { integer, real16, real32, real64, real80, decimal80 };

// Of 64 bits; an instruction that looks at fewer sees the boundary of its own width often enough.
std::uint64_t interestingInteger(Random& random);
std::uint16_t interestingReal16(Random& random);
std::uint32_t interestingReal32(Random& random);
std::uint64_t interestingReal64(Random& random);
std::array<std::uint8_t, 10> interestingReal80(Random& random);     // SDM 1, 4.2.2: unsupported encodings too
std::array<std::uint8_t, 10> interestingDecimal80(Random& random);  // packed BCD, SDM 1, 4.7; one in eight is none

// Fills `bytes` with elements of that kind; a last part that is too short for one gets an integer's low bytes. A
// seventh of all fillings repeats one element, so that comparisons find equality.
void fillInteresting(Random& random, Element kind, std::span<std::uint8_t> bytes);

}  // namespace qm::differ
