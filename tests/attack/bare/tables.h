// Page tables of our own: RAM, what lies behind it, and devices, each at its own address.
#pragma once

namespace hostile {

// The first 4 GiB, of which the kernel's entry has but one.
void mapFourGiB();

}  // namespace hostile
