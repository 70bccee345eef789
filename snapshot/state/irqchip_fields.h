// The plain numbers of the chips that all vCPUs share.
#pragma once

#include <cstddef>
#include <tuple>

#include "snapshot/schema/irqchip.capnp.h"
#include "snapshot/state/fields.h"
#include "vmm/hypervisor/state.h"

namespace qm::snapshot {

template <>
struct Fields<Pic> {
  using To = schema::Pic::Builder;
  using From = schema::Pic::Reader;
  static constexpr auto kRows =
      std::tuple{Field{&Pic::lastIrr, &To::setLastIrr, &From::getLastIrr},
                 Field{&Pic::irr, &To::setIrr, &From::getIrr},
                 Field{&Pic::imr, &To::setImr, &From::getImr},
                 Field{&Pic::isr, &To::setIsr, &From::getIsr},
                 Field{&Pic::priorityAdd, &To::setPriorityAdd, &From::getPriorityAdd},
                 Field{&Pic::irqBase, &To::setIrqBase, &From::getIrqBase},
                 Field{&Pic::readRegSelect, &To::setReadRegSelect, &From::getReadRegSelect},
                 Field{&Pic::poll, &To::setPoll, &From::getPoll},
                 Field{&Pic::specialMask, &To::setSpecialMask, &From::getSpecialMask},
                 Field{&Pic::initState, &To::setInitState, &From::getInitState},
                 Field{&Pic::autoEoi, &To::setAutoEoi, &From::getAutoEoi},
                 Field{&Pic::rotateOnAutoEoi, &To::setRotateOnAutoEoi, &From::getRotateOnAutoEoi},
                 Field{&Pic::specialFullyNestedMode, &To::setSpecialFullyNestedMode, &From::getSpecialFullyNestedMode},
                 Field{&Pic::init4, &To::setInit4, &From::getInit4},
                 Field{&Pic::elcr, &To::setElcr, &From::getElcr},
                 Field{&Pic::elcrMask, &To::setElcrMask, &From::getElcrMask}};
  static constexpr std::size_t kByHand = 0;
};

template <>
struct Fields<IoApic> {
  using To = schema::IoApic::Builder;
  using From = schema::IoApic::Reader;
  static constexpr auto kRows =
      std::tuple{Field{&IoApic::baseAddress, &To::setBaseAddress, &From::getBaseAddress},
                 Field{&IoApic::registerSelect, &To::setRegisterSelect, &From::getRegisterSelect},
                 Field{&IoApic::id, &To::setId, &From::getId}, Field{&IoApic::irr, &To::setIrr, &From::getIrr}};
  // redirection
  static constexpr std::size_t kByHand = 1;
};

template <>
struct Fields<PitChannel> {
  using To = schema::PitChannel::Builder;
  using From = schema::PitChannel::Reader;
  static constexpr auto kRows =
      std::tuple{Field{&PitChannel::count, &To::setCount, &From::getCount},
                 Field{&PitChannel::latchedCount, &To::setLatchedCount, &From::getLatchedCount},
                 Field{&PitChannel::countLatched, &To::setCountLatched, &From::getCountLatched},
                 Field{&PitChannel::statusLatched, &To::setStatusLatched, &From::getStatusLatched},
                 Field{&PitChannel::status, &To::setStatus, &From::getStatus},
                 Field{&PitChannel::readState, &To::setReadState, &From::getReadState},
                 Field{&PitChannel::writeState, &To::setWriteState, &From::getWriteState},
                 Field{&PitChannel::writeLatch, &To::setWriteLatch, &From::getWriteLatch},
                 Field{&PitChannel::rwMode, &To::setRwMode, &From::getRwMode},
                 Field{&PitChannel::mode, &To::setMode, &From::getMode},
                 Field{&PitChannel::bcd, &To::setBcd, &From::getBcd},
                 Field{&PitChannel::gate, &To::setGate, &From::getGate},
                 Field{&PitChannel::countLoadTimeNs, &To::setCountLoadTimeNs, &From::getCountLoadTimeNs}};
  static constexpr std::size_t kByHand = 0;
};

template <>
struct Fields<Pit> {
  using To = schema::Pit::Builder;
  using From = schema::Pit::Reader;
  static constexpr auto kRows = std::tuple{Field{&Pit::flags, &To::setFlags, &From::getFlags}};
  // channels
  static constexpr std::size_t kByHand = 1;
};

template <>
struct Fields<Clock> {
  using To = schema::Clock::Builder;
  using From = schema::Clock::Reader;
  static constexpr auto kRows = std::tuple{Field{&Clock::guestNs, &To::setGuestNs, &From::getGuestNs},
                                           Field{&Clock::realtimeNs, &To::setRealtimeNs, &From::getRealtimeNs}};
  static constexpr std::size_t kByHand = 0;
};

template <>
struct Fields<VmState> {
  using To = schema::Irqchip::Builder;
  using From = schema::Irqchip::Reader;
  static constexpr auto kRows = std::tuple{Field{&VmState::hasPit, &To::setHasPit, &From::getHasPit}};
  // two PICs, IOAPIC, PIT, clock
  static constexpr std::size_t kByHand = 5;
};

}  // namespace qm::snapshot
