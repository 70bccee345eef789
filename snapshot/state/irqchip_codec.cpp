#include "snapshot/state/irqchip_codec.h"

#include "snapshot/state/bounds.h"
#include "snapshot/state/irqchip_fields.h"

namespace qm::snapshot {

namespace {

void storeIoApic(const IoApic& ioApic, schema::IoApic::Builder to) {
  storeFields(ioApic, to);
  auto redirection = to.initRedirection(static_cast<unsigned>(ioApic.redirection.size()));
  for (unsigned i = 0; i < redirection.size(); ++i) redirection.set(i, ioApic.redirection[i]);
}

Result<IoApic> loadIoApic(schema::IoApic::Reader from) {
  IoApic ioApic = loadFields<IoApic>(from);
  const auto redirection = from.getRedirection();
  TRY(checkCount("IOAPIC redirections", redirection.size(), ioApic.redirection.size(), ioApic.redirection.size()));
  for (unsigned i = 0; i < redirection.size(); ++i) ioApic.redirection[i] = redirection[i];
  return ioApic;
}

void storePit(const Pit& pit, schema::Pit::Builder to) {
  storeFields(pit, to);
  auto channels = to.initChannels(static_cast<unsigned>(pit.channels.size()));
  for (unsigned i = 0; i < channels.size(); ++i) storeFields(pit.channels[i], channels[i]);
}

Result<Pit> loadPit(schema::Pit::Reader from) {
  Pit pit = loadFields<Pit>(from);
  const auto channels = from.getChannels();
  TRY(checkCount("PIT channels", channels.size(), pit.channels.size(), pit.channels.size()));
  for (unsigned i = 0; i < channels.size(); ++i) pit.channels[i] = loadFields<PitChannel>(channels[i]);
  return pit;
}

}  // namespace

void storeIrqchip(const VmState& vm, schema::Irqchip::Builder to) {
  storeFields(vm, to);
  storeFields(vm.primaryPic, to.initPrimaryPic());
  storeFields(vm.secondaryPic, to.initSecondaryPic());
  storeIoApic(vm.ioApic, to.initIoApic());
  storePit(vm.pit, to.initPit());
  storeFields(vm.clock, to.initClock());
}

Result<VmState> loadIrqchip(schema::Irqchip::Reader from) {
  VmState vm = loadFields<VmState>(from);
  vm.primaryPic = loadFields<Pic>(from.getPrimaryPic());
  vm.secondaryPic = loadFields<Pic>(from.getSecondaryPic());
  vm.ioApic = TRY(loadIoApic(from.getIoApic()));
  vm.pit = TRY(loadPit(from.getPit()));
  vm.clock = loadFields<Clock>(from.getClock());
  return vm;
}

}  // namespace qm::snapshot
