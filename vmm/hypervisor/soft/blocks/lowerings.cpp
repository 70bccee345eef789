#include <array>

#include "vmm/hypervisor/soft/decode/lowering.h"
#include "vmm/hypervisor/soft/operations/alu.h"
#include "vmm/hypervisor/soft/operations/avx_convert.h"
#include "vmm/hypervisor/soft/operations/avx_float.h"
#include "vmm/hypervisor/soft/operations/avx_integer.h"
#include "vmm/hypervisor/soft/operations/avx_lane.h"
#include "vmm/hypervisor/soft/operations/avx_masked.h"
#include "vmm/hypervisor/soft/operations/avx_move.h"
#include "vmm/hypervisor/soft/operations/avx_shuffle.h"
#include "vmm/hypervisor/soft/operations/bit.h"
#include "vmm/hypervisor/soft/operations/bmi.h"
#include "vmm/hypervisor/soft/operations/branch.h"
#include "vmm/hypervisor/soft/operations/control_moves.h"
#include "vmm/hypervisor/soft/operations/exchange.h"
#include "vmm/hypervisor/soft/operations/extended_state.h"
#include "vmm/hypervisor/soft/operations/far_transfer.h"
#include "vmm/hypervisor/soft/operations/fma.h"
#include "vmm/hypervisor/soft/operations/hint.h"
#include "vmm/hypervisor/soft/operations/mmx.h"
#include "vmm/hypervisor/soft/operations/mmx_convert.h"
#include "vmm/hypervisor/soft/operations/mmx_move.h"
#include "vmm/hypervisor/soft/operations/move.h"
#include "vmm/hypervisor/soft/operations/muldiv.h"
#include "vmm/hypervisor/soft/operations/port_io.h"
#include "vmm/hypervisor/soft/operations/privileged.h"
#include "vmm/hypervisor/soft/operations/segment_load.h"
#include "vmm/hypervisor/soft/operations/shift.h"
#include "vmm/hypervisor/soft/operations/sse_compare.h"
#include "vmm/hypervisor/soft/operations/sse_control.h"
#include "vmm/hypervisor/soft/operations/sse_convert.h"
#include "vmm/hypervisor/soft/operations/sse_crypto.h"
#include "vmm/hypervisor/soft/operations/sse_float.h"
#include "vmm/hypervisor/soft/operations/sse_integer.h"
#include "vmm/hypervisor/soft/operations/sse_lane.h"
#include "vmm/hypervisor/soft/operations/sse_move.h"
#include "vmm/hypervisor/soft/operations/sse_sha.h"
#include "vmm/hypervisor/soft/operations/sse_shift.h"
#include "vmm/hypervisor/soft/operations/sse_shuffle.h"
#include "vmm/hypervisor/soft/operations/sse_string.h"
#include "vmm/hypervisor/soft/operations/stack.h"
#include "vmm/hypervisor/soft/operations/string.h"
#include "vmm/hypervisor/soft/operations/syscall.h"
#include "vmm/hypervisor/soft/operations/x87.h"
#include "vmm/hypervisor/soft/operations/x87_control.h"
#include "vmm/result/check.h"

namespace qm::soft {

namespace {

using LoweringTable = std::array<Lower, ZYDIS_MNEMONIC_MAX_VALUE + 1>;

void add(LoweringTable& table, std::span<const Lowering> family) {
  for (const Lowering& lowering : family) {
    CHECK(table[lowering.mnemonic] == nullptr);  // each mnemonic is one family's
    table[lowering.mnemonic] = lowering.lower;
  }
}

LoweringTable collectGeneral() {
  LoweringTable table{};
  const std::array families{
      aluLowerings(),         bitLowerings(),         bmiLowerings(),           branchLowerings(),
      controlMoveLowerings(), exchangeLowerings(),    extendedStateLowerings(), farTransferLowerings(),
      hintLowerings(),        moveLowerings(),        muldivLowerings(),        portIoLowerings(),
      privilegedLowerings(),  segmentLoadLowerings(), shiftLowerings(),         stackLowerings(),
      stringLowerings(),      syscallLowerings(),     x87ControlLowerings(),    x87Lowerings(),
  };
  for (const std::span<const Lowering> family : families) add(table, family);
  return table;
}

LoweringTable collectVector() {
  LoweringTable table{};
  for (const std::span<const Lowering> family :
       {sseCompareLowerings(), sseControlLowerings(), sseConvertLowerings(), sseCryptoLowerings(),
        sseFloatLowerings(),   sseIntegerLowerings(), sseLaneLowerings(),    sseMoveLowerings(),
        sseShiftLowerings(),   sseShuffleLowerings(), sseShaLowerings(),     sseStringLowerings(),
        avxConvertLowerings(), avxFloatLowerings(),   avxIntegerLowerings(), avxLaneLowerings(),
        avxMaskedLowerings(),  avxMoveLowerings(),    avxShuffleLowerings(), fmaLowerings()})
    add(table, family);
  return table;
}

LoweringTable collectMmx() {
  LoweringTable table{};
  for (const std::span<const Lowering> family : {mmxLowerings(), mmxConvertLowerings(), mmxMoveLowerings()})
    add(table, family);
  return table;
}

}  // namespace

namespace {

// Of all that has these prefixes: AVX, AVX2, FMA and F16C, with AES and carry-less products of 128 bits.
bool isOfKnownExtension(const Instruction& instruction) {
  switch (instruction.raw.encoding) {
    case ZYDIS_INSTRUCTION_ENCODING_EVEX:
    case ZYDIS_INSTRUCTION_ENCODING_MVEX:
      return false;
    case ZYDIS_INSTRUCTION_ENCODING_VEX:
      break;
    default:
      return true;
  }
  switch (instruction.raw.meta.isa_set) {
    case ZYDIS_ISA_SET_AVX:
    case ZYDIS_ISA_SET_AVX2:
    case ZYDIS_ISA_SET_AVX2GATHER:
    case ZYDIS_ISA_SET_AVXAES:
    case ZYDIS_ISA_SET_F16C:
    case ZYDIS_ISA_SET_FMA:
      return true;
    default:
      return !isVexOfVectors(instruction);
  }
}

}  // namespace

Lower loweringFor(const Instruction& instruction) {
  static const LoweringTable kGeneral = collectGeneral(), kVector = collectVector(), kMmx = collectMmx();
  const ZydisMnemonic mnemonic = instruction.mnemonic();
  if (!isOfKnownExtension(instruction)) return nullptr;
  if (isVexOfVectors(instruction)) return kVector[mnemonic];
  if (namesRegister(instruction, ZYDIS_REGCLASS_MMX)) return kMmx[mnemonic];
  // MMX's instructions without its registers among the operands: CVTPI2PS xmm, m64 and EMMS.
  const LoweringTable& table = usesVectorUnit(instruction) ? kVector : kGeneral;
  return table[mnemonic] != nullptr ? table[mnemonic] : kMmx[mnemonic];
}

}  // namespace qm::soft
