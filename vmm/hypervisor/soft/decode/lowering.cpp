#include "vmm/hypervisor/soft/decode/lowering.h"

#include "vmm/hypervisor/soft/operations/alu.h"
#include "vmm/hypervisor/soft/operations/bit.h"
#include "vmm/hypervisor/soft/operations/bmi.h"
#include "vmm/hypervisor/soft/operations/branch.h"
#include "vmm/hypervisor/soft/operations/exchange.h"
#include "vmm/hypervisor/soft/operations/extended_state.h"
#include "vmm/hypervisor/soft/operations/hint.h"
#include "vmm/hypervisor/soft/operations/mmx.h"
#include "vmm/hypervisor/soft/operations/move.h"
#include "vmm/hypervisor/soft/operations/muldiv.h"
#include "vmm/hypervisor/soft/operations/shift.h"
#include "vmm/hypervisor/soft/operations/sse_float.h"
#include "vmm/hypervisor/soft/operations/sse_integer.h"
#include "vmm/hypervisor/soft/operations/sse_move.h"
#include "vmm/hypervisor/soft/operations/sse_string.h"
#include "vmm/hypervisor/soft/operations/stack.h"
#include "vmm/hypervisor/soft/operations/string.h"
#include "vmm/hypervisor/soft/operations/x87.h"
#include "vmm/hypervisor/soft/system/control_moves.h"
#include "vmm/hypervisor/soft/system/far_transfer.h"
#include "vmm/hypervisor/soft/system/port_io.h"
#include "vmm/hypervisor/soft/system/privileged.h"
#include "vmm/hypervisor/soft/system/segment_load.h"
#include "vmm/hypervisor/soft/system/syscall.h"
#include "vmm/result/check.h"

namespace qm::soft {

namespace {

LoweringTable collect() {
  LoweringTable table{};
  const std::array families{
      aluLowerings(),         bitLowerings(),        bmiLowerings(),           branchLowerings(),
      controlMoveLowerings(), exchangeLowerings(),   extendedStateLowerings(), farTransferLowerings(),
      hintLowerings(),        mmxLowerings(),        moveLowerings(),          muldivLowerings(),
      portIoLowerings(),      privilegedLowerings(), segmentLoadLowerings(),   shiftLowerings(),
      sseFloatLowerings(),    sseIntegerLowerings(), sseMoveLowerings(),       sseStringLowerings(),
      stackLowerings(),       stringLowerings(),     syscallLowerings(),       x87Lowerings(),
  };
  for (const std::span<const Lowering> family : families) {
    for (const Lowering& lowering : family) {
      CHECK(table[lowering.mnemonic] == nullptr);  // each mnemonic is one family's
      table[lowering.mnemonic] = lowering.lower;
    }
  }
  return table;
}

}  // namespace

const LoweringTable& lowerings() {
  static const LoweringTable kTable = collect();
  return kTable;
}

}  // namespace qm::soft
