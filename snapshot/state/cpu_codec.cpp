#include "snapshot/state/cpu_codec.h"

#include <algorithm>
#include <functional>
#include <utility>

#include <fmt/format.h>

#include "snapshot/state/blob.h"
#include "snapshot/state/bounds.h"
#include "snapshot/state/cpu_fields.h"

namespace qm::snapshot {

namespace {

schema::RunState toSchema(RunState state) {
  switch (state) {
    case RunState::runnable:
      return schema::RunState::RUNNABLE;
    case RunState::uninitialized:
      return schema::RunState::UNINITIALIZED;
    case RunState::initReceived:
      return schema::RunState::INIT_RECEIVED;
    case RunState::halted:
      return schema::RunState::HALTED;
    case RunState::sipiReceived:
      return schema::RunState::SIPI_RECEIVED;
  }
  std::unreachable();
}

Result<RunState> fromSchema(schema::RunState state) {
  switch (state) {
    case schema::RunState::RUNNABLE:
      return RunState::runnable;
    case schema::RunState::UNINITIALIZED:
      return RunState::uninitialized;
    case schema::RunState::INIT_RECEIVED:
      return RunState::initReceived;
    case schema::RunState::HALTED:
      return RunState::halted;
    case schema::RunState::SIPI_RECEIVED:
      return RunState::sipiReceived;
  }
  return stateRefused(fmt::format("run state {}, which has no name here", static_cast<unsigned>(state)));
}

Result<Segment> loadSegment(schema::Segment::Reader from) {
  const Segment segment = loadFields<Segment>(from);
  if (segment.type > 15 || segment.dpl > 3) {
    return stateRefused(
        fmt::format("a segment of type {} and privilege level {}, beyond 15 and 3", segment.type, segment.dpl));
  }
  return segment;
}

void storeSystem(const SystemRegisters& system, schema::SystemRegisters::Builder to) {
  storeFields(system, to);
  storeFields(system.cs, to.initCs());
  storeFields(system.ds, to.initDs());
  storeFields(system.es, to.initEs());
  storeFields(system.fs, to.initFs());
  storeFields(system.gs, to.initGs());
  storeFields(system.ss, to.initSs());
  storeFields(system.tr, to.initTr());
  storeFields(system.ldt, to.initLdt());
  storeFields(system.gdt, to.initGdt());
  storeFields(system.idt, to.initIdt());
}

Result<SystemRegisters> loadSystem(schema::SystemRegisters::Reader from) {
  SystemRegisters system = loadFields<SystemRegisters>(from);
  system.cs = TRY(loadSegment(from.getCs()));
  system.ds = TRY(loadSegment(from.getDs()));
  system.es = TRY(loadSegment(from.getEs()));
  system.fs = TRY(loadSegment(from.getFs()));
  system.gs = TRY(loadSegment(from.getGs()));
  system.ss = TRY(loadSegment(from.getSs()));
  system.tr = TRY(loadSegment(from.getTr()));
  system.ldt = TRY(loadSegment(from.getLdt()));
  system.gdt = loadFields<DescriptorTable>(from.getGdt());
  system.idt = loadFields<DescriptorTable>(from.getIdt());
  return system;
}

void storeDebug(const DebugRegisters& debug, schema::DebugRegisters::Builder to) {
  storeFields(debug, to);
  auto db = to.initDb(static_cast<unsigned>(debug.db.size()));
  for (unsigned i = 0; i < db.size(); ++i) db.set(i, debug.db[i]);
}

Result<DebugRegisters> loadDebug(schema::DebugRegisters::Reader from) {
  DebugRegisters debug = loadFields<DebugRegisters>(from);
  const auto db = from.getDb();
  TRY(checkCount("debug address registers", db.size(), debug.db.size(), debug.db.size()));
  for (unsigned i = 0; i < db.size(); ++i) debug.db[i] = db[i];
  return debug;
}

void storeExtended(const ExtendedState& extended, schema::ExtendedState::Builder to) {
  to.setXcr0(extended.xcr0);
  to.setArea(dataOf<std::byte>(extended.area));
}

Result<ExtendedState> loadExtended(schema::ExtendedState::Reader from) {
  const auto area = bytesOf(from.getArea());
  TRY(checkCount("bytes of XSAVE area", area.size(), kMinXsaveBytes, kMaxXsaveBytes));
  return ExtendedState{.xcr0 = from.getXcr0(), .area = {area.begin(), area.end()}};
}

Result<LocalApic> loadLocalApic(capnp::Data::Reader from) {
  LocalApic apic;
  TRY(checkCount("bytes of local APIC", from.size(), apic.registers.size(), apic.registers.size()));
  std::ranges::copy(bytesOf(from), apic.registers.begin());
  return apic;
}

Result<CpuidTable> loadCpuid(capnp::List<schema::CpuidEntry>::Reader from) {
  TRY(checkCount("CPUID entries", from.size(), 0, kMaxCpuidEntries));
  CpuidTable table;
  for (const auto entry : from) table.push_back(loadFields<CpuidEntry>(entry));
  return table;
}

Result<std::vector<MsrValue>> loadMsrs(capnp::List<schema::Msr>::Reader from) {
  TRY(checkCount("MSRs", from.size(), 0, kMaxMsrs));
  std::vector<MsrValue> msrs;
  for (const auto msr : from) msrs.push_back(loadFields<MsrValue>(msr));
  const auto isOutOfOrder = std::ranges::adjacent_find(msrs, std::greater_equal(), &MsrValue::index);
  if (isOutOfOrder != msrs.end()) {
    return stateRefused(fmt::format("MSR {:#x} out of order or twice", std::next(isOutOfOrder)->index));
  }
  return msrs;
}

}  // namespace

void storeCpu(const CpuState& cpu, schema::Cpu::Builder to) {
  storeFields(cpu, to);
  to.setRunState(toSchema(cpu.runState));
  auto cpuid = to.initCpuid(static_cast<unsigned>(cpu.cpuid.size()));
  for (unsigned i = 0; i < cpuid.size(); ++i) storeFields(cpu.cpuid[i], cpuid[i]);
  storeFields(cpu.registers, to.initRegisters());
  storeSystem(cpu.system, to.initSystem());
  storeDebug(cpu.debug, to.initDebug());
  storeExtended(cpu.extended, to.initExtended());
  to.setLocalApic(dataOf<std::byte>(cpu.localApic.registers));
  auto msrs = to.initMsrs(static_cast<unsigned>(cpu.msrs.size()));
  for (unsigned i = 0; i < msrs.size(); ++i) storeFields(cpu.msrs[i], msrs[i]);
  storeFields(cpu.events, to.initEvents());
}

Result<CpuState> loadCpu(schema::Cpu::Reader from) {
  CpuState cpu = loadFields<CpuState>(from);
  cpu.runState = TRY(fromSchema(from.getRunState()));
  cpu.cpuid = TRY(loadCpuid(from.getCpuid()));
  cpu.registers = loadFields<Registers>(from.getRegisters());
  cpu.system = TRY(loadSystem(from.getSystem()));
  cpu.debug = TRY(loadDebug(from.getDebug()));
  cpu.extended = TRY(loadExtended(from.getExtended()));
  cpu.localApic = TRY(loadLocalApic(from.getLocalApic()));
  cpu.msrs = TRY(loadMsrs(from.getMsrs()));
  cpu.events = loadFields<PendingEvents>(from.getEvents());
  return cpu;
}

}  // namespace qm::snapshot
