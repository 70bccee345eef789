#include "vmm/hypervisor/kvm/convert_irqchip.h"

namespace qm::kvm {

Pic fromKvm(const kvm_pic_state& from) {
  return {.lastIrr = from.last_irr,
          .irr = from.irr,
          .imr = from.imr,
          .isr = from.isr,
          .priorityAdd = from.priority_add,
          .irqBase = from.irq_base,
          .readRegSelect = from.read_reg_select,
          .poll = from.poll,
          .specialMask = from.special_mask,
          .initState = from.init_state,
          .autoEoi = from.auto_eoi,
          .rotateOnAutoEoi = from.rotate_on_auto_eoi,
          .specialFullyNestedMode = from.special_fully_nested_mode,
          .init4 = from.init4,
          .elcr = from.elcr,
          .elcrMask = from.elcr_mask};
}

kvm_pic_state toKvm(const Pic& from) {
  return {.last_irr = from.lastIrr,
          .irr = from.irr,
          .imr = from.imr,
          .isr = from.isr,
          .priority_add = from.priorityAdd,
          .irq_base = from.irqBase,
          .read_reg_select = from.readRegSelect,
          .poll = from.poll,
          .special_mask = from.specialMask,
          .init_state = from.initState,
          .auto_eoi = from.autoEoi,
          .rotate_on_auto_eoi = from.rotateOnAutoEoi,
          .special_fully_nested_mode = from.specialFullyNestedMode,
          .init4 = from.init4,
          .elcr = from.elcr,
          .elcr_mask = from.elcrMask};
}

IoApic fromKvm(const kvm_ioapic_state& from) {
  IoApic to{.baseAddress = from.base_address, .registerSelect = from.ioregsel, .id = from.id, .irr = from.irr};
  for (std::size_t pin = 0; pin < to.redirection.size(); ++pin) to.redirection[pin] = from.redirtbl[pin].bits;
  return to;
}

kvm_ioapic_state toKvm(const IoApic& from) {
  kvm_ioapic_state to{};
  to.base_address = from.baseAddress;
  to.ioregsel = from.registerSelect;
  to.id = from.id;
  to.irr = from.irr;
  for (std::size_t pin = 0; pin < from.redirection.size(); ++pin) to.redirtbl[pin].bits = from.redirection[pin];
  return to;
}

Pit fromKvm(const kvm_pit_state2& from) {
  Pit to;
  for (std::size_t i = 0; i < to.channels.size(); ++i) {
    const kvm_pit_channel_state& channel = from.channels[i];
    to.channels[i] = {.count = channel.count,
                      .latchedCount = channel.latched_count,
                      .countLatched = channel.count_latched,
                      .statusLatched = channel.status_latched,
                      .status = channel.status,
                      .readState = channel.read_state,
                      .writeState = channel.write_state,
                      .writeLatch = channel.write_latch,
                      .rwMode = channel.rw_mode,
                      .mode = channel.mode,
                      .bcd = channel.bcd,
                      .gate = channel.gate,
                      .countLoadTimeNs = channel.count_load_time};
  }
  to.flags = from.flags;
  return to;
}

kvm_pit_state2 toKvm(const Pit& from) {
  kvm_pit_state2 to{};
  for (std::size_t i = 0; i < from.channels.size(); ++i) {
    const PitChannel& channel = from.channels[i];
    to.channels[i] = {.count = channel.count,
                      .latched_count = channel.latchedCount,
                      .count_latched = channel.countLatched,
                      .status_latched = channel.statusLatched,
                      .status = channel.status,
                      .read_state = channel.readState,
                      .write_state = channel.writeState,
                      .write_latch = channel.writeLatch,
                      .rw_mode = channel.rwMode,
                      .mode = channel.mode,
                      .bcd = channel.bcd,
                      .gate = channel.gate,
                      .count_load_time = channel.countLoadTimeNs};
  }
  to.flags = from.flags;
  return to;
}

}  // namespace qm::kvm
