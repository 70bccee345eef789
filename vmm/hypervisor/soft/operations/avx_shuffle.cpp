#include "vmm/hypervisor/soft/operations/avx_shuffle.h"

#include "vmm/hypervisor/soft/operations/vex_operand.h"

namespace qm::soft {

namespace {

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_VMOVSLDUP, &lowerVex<"F3.0F 12">},
    Lowering{ZYDIS_MNEMONIC_VMOVDDUP, &lowerVex<"F2.0F 12", Reads::halfOrWhole>},
    Lowering{ZYDIS_MNEMONIC_VUNPCKLPS, &lowerVex<"NDS.0F 14">},
    Lowering{ZYDIS_MNEMONIC_VUNPCKLPD, &lowerVex<"NDS.66.0F 14">},
    Lowering{ZYDIS_MNEMONIC_VUNPCKHPS, &lowerVex<"NDS.0F 15">},
    Lowering{ZYDIS_MNEMONIC_VUNPCKHPD, &lowerVex<"NDS.66.0F 15">},
    Lowering{ZYDIS_MNEMONIC_VMOVSHDUP, &lowerVex<"F3.0F 16">},
    Lowering{ZYDIS_MNEMONIC_VPUNPCKLBW, &lowerVex<"NDS.66.0F 60">},
    Lowering{ZYDIS_MNEMONIC_VPUNPCKLWD, &lowerVex<"NDS.66.0F 61">},
    Lowering{ZYDIS_MNEMONIC_VPUNPCKLDQ, &lowerVex<"NDS.66.0F 62">},
    Lowering{ZYDIS_MNEMONIC_VPACKSSWB, &lowerVex<"NDS.66.0F 63">},
    Lowering{ZYDIS_MNEMONIC_VPACKUSWB, &lowerVex<"NDS.66.0F 67">},
    Lowering{ZYDIS_MNEMONIC_VPUNPCKHBW, &lowerVex<"NDS.66.0F 68">},
    Lowering{ZYDIS_MNEMONIC_VPUNPCKHWD, &lowerVex<"NDS.66.0F 69">},
    Lowering{ZYDIS_MNEMONIC_VPUNPCKHDQ, &lowerVex<"NDS.66.0F 6A">},
    Lowering{ZYDIS_MNEMONIC_VPACKSSDW, &lowerVex<"NDS.66.0F 6B">},
    Lowering{ZYDIS_MNEMONIC_VPUNPCKLQDQ, &lowerVex<"NDS.66.0F 6C">},
    Lowering{ZYDIS_MNEMONIC_VPUNPCKHQDQ, &lowerVex<"NDS.66.0F 6D">},
    Lowering{ZYDIS_MNEMONIC_VPSHUFD, &lowerVex<"66.0F 70 ib">},
    Lowering{ZYDIS_MNEMONIC_VPSHUFHW, &lowerVex<"F3.0F 70 ib">},
    Lowering{ZYDIS_MNEMONIC_VPSHUFLW, &lowerVex<"F2.0F 70 ib">},
    Lowering{ZYDIS_MNEMONIC_VSHUFPS, &lowerVex<"NDS.0F C6 ib">},
    Lowering{ZYDIS_MNEMONIC_VSHUFPD, &lowerVex<"NDS.66.0F C6 ib4">},
    Lowering{ZYDIS_MNEMONIC_VPSHUFB, &lowerVex<"NDS.66.0F38 00">},
    Lowering{ZYDIS_MNEMONIC_VPERMILPS, &lowerFirstOf<&lowerVex<"NDS.66.0F38 0C">, &lowerVex<"66.0F3A 04 ib">>},
    Lowering{ZYDIS_MNEMONIC_VPERMILPD, &lowerFirstOf<&lowerVex<"NDS.66.0F38 0D">, &lowerVex<"66.0F3A 05 ib4">>},
    Lowering{ZYDIS_MNEMONIC_VPERMPS, &lowerVex<"NDS.66.0F38 16">},
    Lowering{ZYDIS_MNEMONIC_VBROADCASTSS, &lowerVex<"66.0F38 18", Reads::always32>},
    Lowering{ZYDIS_MNEMONIC_VBROADCASTSD, &lowerVex<"66.0F38 19", Reads::always64>},
    Lowering{ZYDIS_MNEMONIC_VPMOVSXBW, &lowerVex<"66.0F38 20", Reads::half>},
    Lowering{ZYDIS_MNEMONIC_VPMOVSXBD, &lowerVex<"66.0F38 21", Reads::quarter>},
    Lowering{ZYDIS_MNEMONIC_VPMOVSXBQ, &lowerVex<"66.0F38 22", Reads::eighth>},
    Lowering{ZYDIS_MNEMONIC_VPMOVSXWD, &lowerVex<"66.0F38 23", Reads::half>},
    Lowering{ZYDIS_MNEMONIC_VPMOVSXWQ, &lowerVex<"66.0F38 24", Reads::quarter>},
    Lowering{ZYDIS_MNEMONIC_VPMOVSXDQ, &lowerVex<"66.0F38 25", Reads::half>},
    Lowering{ZYDIS_MNEMONIC_VPACKUSDW, &lowerVex<"NDS.66.0F38 2B">},
    Lowering{ZYDIS_MNEMONIC_VPMOVZXBW, &lowerVex<"66.0F38 30", Reads::half>},
    Lowering{ZYDIS_MNEMONIC_VPMOVZXBD, &lowerVex<"66.0F38 31", Reads::quarter>},
    Lowering{ZYDIS_MNEMONIC_VPMOVZXBQ, &lowerVex<"66.0F38 32", Reads::eighth>},
    Lowering{ZYDIS_MNEMONIC_VPMOVZXWD, &lowerVex<"66.0F38 33", Reads::half>},
    Lowering{ZYDIS_MNEMONIC_VPMOVZXWQ, &lowerVex<"66.0F38 34", Reads::quarter>},
    Lowering{ZYDIS_MNEMONIC_VPMOVZXDQ, &lowerVex<"66.0F38 35", Reads::half>},
    Lowering{ZYDIS_MNEMONIC_VPERMD, &lowerVex<"NDS.66.0F38 36">},
    Lowering{ZYDIS_MNEMONIC_VPBROADCASTD, &lowerVex<"66.0F38 58", Reads::always32>},
    Lowering{ZYDIS_MNEMONIC_VPBROADCASTQ, &lowerVex<"66.0F38 59", Reads::always64>},
    Lowering{ZYDIS_MNEMONIC_VPBROADCASTB, &lowerVex<"66.0F38 78", Reads::always8>},
    Lowering{ZYDIS_MNEMONIC_VPBROADCASTW, &lowerVex<"66.0F38 79", Reads::always16>},
    Lowering{ZYDIS_MNEMONIC_VPERMQ, &lowerVex<"66.0F3A.W1 00 ib">},
    Lowering{ZYDIS_MNEMONIC_VPERMPD, &lowerVex<"66.0F3A.W1 01 ib">},
    Lowering{ZYDIS_MNEMONIC_VPBLENDD, &lowerVex<"NDS.66.0F3A 02 ib">},
    Lowering{ZYDIS_MNEMONIC_VPERM2F128, &lowerVex<"NDS.66.0F3A 06 ib">},
    Lowering{ZYDIS_MNEMONIC_VBLENDPS, &lowerVex<"NDS.66.0F3A 0C ib">},
    Lowering{ZYDIS_MNEMONIC_VBLENDPD, &lowerVex<"NDS.66.0F3A 0D ib4">},
    Lowering{ZYDIS_MNEMONIC_VPBLENDW, &lowerVex<"NDS.66.0F3A 0E ib">},
    Lowering{ZYDIS_MNEMONIC_VPALIGNR, &lowerVex<"NDS.66.0F3A 0F ib">},
    Lowering{ZYDIS_MNEMONIC_VINSERTF128, &lowerVex<"NDS.66.0F3A 18 ib1", Reads::always128>},
    Lowering{ZYDIS_MNEMONIC_VINSERTI128, &lowerVex<"NDS.66.0F3A 38 ib1", Reads::always128>},
    Lowering{ZYDIS_MNEMONIC_VMPSADBW, &lowerVex<"NDS.66.0F3A 42 ib6">},
    Lowering{ZYDIS_MNEMONIC_VPERM2I128, &lowerVex<"NDS.66.0F3A 46 ib">},
    Lowering{ZYDIS_MNEMONIC_VBLENDVPS, &lowerVex<"NDS.66.0F3A 4A /is4">},
    Lowering{ZYDIS_MNEMONIC_VBLENDVPD, &lowerVex<"NDS.66.0F3A 4B /is4">},
    Lowering{ZYDIS_MNEMONIC_VPBLENDVB, &lowerVex<"NDS.66.0F3A 4C /is4">},
};

}  // namespace

std::span<const Lowering> avxShuffleLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
