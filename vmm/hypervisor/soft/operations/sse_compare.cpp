#include "vmm/hypervisor/soft/operations/sse_compare.h"

#include "vmm/hypervisor/soft/operations/simd_exceptions.h"

namespace qm::soft {

namespace {

// ---- into masks: the low three bits of the immediate are the predicate

template <unsigned predicate>
struct Cmpps {
  static constexpr auto kApply = [](__m128i a, __m128i b) {
    asm volatile("cmpps %2, %1, %0" : "+x"(a) : "x"(b), "i"(predicate));
    return a;
  };
};

template <unsigned predicate>
struct Cmppd {
  static constexpr auto kApply = [](__m128i a, __m128i b) {
    asm volatile("cmppd %2, %1, %0" : "+x"(a) : "x"(b), "i"(predicate));
    return a;
  };
};

template <unsigned predicate>
struct Cmpss {
  static constexpr auto kApply = [](__m128i a, __m128i b) {
    asm volatile("cmpss %2, %1, %0" : "+x"(a) : "x"(b), "i"(predicate));
    return a;
  };
};

template <unsigned predicate>
struct Cmpsd {
  static constexpr auto kApply = [](__m128i a, __m128i b) {
    asm volatile("cmpsd %2, %1, %0" : "+x"(a) : "x"(b), "i"(predicate));
    return a;
  };
};

// ---- into flags: ZF, PF and CF, every other one cleared

template <auto apply>
struct Ordered {
  template <class Source>
  struct From {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      __m128i value;
      if (!Source::read(cpu, op, value)) return false;
      Flags after = 0;
      if (!compute(cpu, [&] { after = apply(xmm(cpu, op.to), value); })) return false;
      flags = after;
      return true;
    }
  };
};

template <auto apply, class Memory>
bool lowerOrdered(const Instruction& instruction, Emitter& emitter) {
  static constexpr VectorTable kTable = bySource<Ordered<apply>::template From, Scalar<Memory>::template From>();
  lowerVector(instruction, emitter, kTable);
  return true;
}

constexpr auto kComiss = [](__m128i a, __m128i b) {
  std::uint32_t after;
  asm volatile("comiss %2, %1\n\tlahf\n\tseto %%al" : "=&a"(after) : "x"(a), "x"(b) : "cc");
  return Flags{after};
};
constexpr auto kComisd = [](__m128i a, __m128i b) {
  std::uint32_t after;
  asm volatile("comisd %2, %1\n\tlahf\n\tseto %%al" : "=&a"(after) : "x"(a), "x"(b) : "cc");
  return Flags{after};
};
constexpr auto kUcomiss = [](__m128i a, __m128i b) {
  std::uint32_t after;
  asm volatile("ucomiss %2, %1\n\tlahf\n\tseto %%al" : "=&a"(after) : "x"(a), "x"(b) : "cc");
  return Flags{after};
};
constexpr auto kUcomisd = [](__m128i a, __m128i b) {
  std::uint32_t after;
  asm volatile("ucomisd %2, %1\n\tlahf\n\tseto %%al" : "=&a"(after) : "x"(a), "x"(b) : "cc");
  return Flags{after};
};

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_CMPPS, &lowerFloatingChoice<Cmpps, 3, kNever, FromAligned>},
    Lowering{ZYDIS_MNEMONIC_CMPPD, &lowerFloatingChoice<Cmppd, 3, kNever, FromAligned>},
    Lowering{ZYDIS_MNEMONIC_CMPSS, &lowerFloatingChoice<Cmpss, 3, kNever, Scalar<std::uint32_t>::From>},
    Lowering{ZYDIS_MNEMONIC_CMPSD, &lowerFloatingChoice<Cmpsd, 3, kNever, Scalar<std::uint64_t>::From>},
    Lowering{ZYDIS_MNEMONIC_COMISS, &lowerOrdered<kComiss, std::uint32_t>},
    Lowering{ZYDIS_MNEMONIC_COMISD, &lowerOrdered<kComisd, std::uint64_t>},
    Lowering{ZYDIS_MNEMONIC_UCOMISS, &lowerOrdered<kUcomiss, std::uint32_t>},
    Lowering{ZYDIS_MNEMONIC_UCOMISD, &lowerOrdered<kUcomisd, std::uint64_t>},
    // VEX-encoded, these are the same.
    Lowering{ZYDIS_MNEMONIC_VCOMISS, &lowerOrdered<kComiss, std::uint32_t>},
    Lowering{ZYDIS_MNEMONIC_VCOMISD, &lowerOrdered<kComisd, std::uint64_t>},
    Lowering{ZYDIS_MNEMONIC_VUCOMISS, &lowerOrdered<kUcomiss, std::uint32_t>},
    Lowering{ZYDIS_MNEMONIC_VUCOMISD, &lowerOrdered<kUcomisd, std::uint64_t>},
};

}  // namespace

std::span<const Lowering> sseCompareLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
