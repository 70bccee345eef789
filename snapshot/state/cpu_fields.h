// The plain numbers of a vCPU's state.
#pragma once

#include <cstddef>
#include <tuple>

#include "snapshot/schema/cpu.capnp.h"
#include "snapshot/state/fields.h"
#include "vmm/hypervisor/state.h"

namespace qm::snapshot {

template <>
struct Fields<CpuidEntry> {
  using To = schema::CpuidEntry::Builder;
  using From = schema::CpuidEntry::Reader;
  static constexpr auto kRows =
      std::tuple{Field{&CpuidEntry::leaf, &To::setLeaf, &From::getLeaf},
                 Field{&CpuidEntry::subleaf, &To::setSubleaf, &From::getSubleaf},
                 Field{&CpuidEntry::subleafMatters, &To::setSubleafMatters, &From::getSubleafMatters},
                 Field{&CpuidEntry::eax, &To::setEax, &From::getEax},
                 Field{&CpuidEntry::ebx, &To::setEbx, &From::getEbx},
                 Field{&CpuidEntry::ecx, &To::setEcx, &From::getEcx},
                 Field{&CpuidEntry::edx, &To::setEdx, &From::getEdx}};
  static constexpr std::size_t kByHand = 0;
};

template <>
struct Fields<Registers> {
  using To = schema::Registers::Builder;
  using From = schema::Registers::Reader;
  static constexpr auto kRows = std::tuple{
      Field{&Registers::rax, &To::setRax, &From::getRax}, Field{&Registers::rbx, &To::setRbx, &From::getRbx},
      Field{&Registers::rcx, &To::setRcx, &From::getRcx}, Field{&Registers::rdx, &To::setRdx, &From::getRdx},
      Field{&Registers::rsi, &To::setRsi, &From::getRsi}, Field{&Registers::rdi, &To::setRdi, &From::getRdi},
      Field{&Registers::rsp, &To::setRsp, &From::getRsp}, Field{&Registers::rbp, &To::setRbp, &From::getRbp},
      Field{&Registers::r8, &To::setR8, &From::getR8},    Field{&Registers::r9, &To::setR9, &From::getR9},
      Field{&Registers::r10, &To::setR10, &From::getR10}, Field{&Registers::r11, &To::setR11, &From::getR11},
      Field{&Registers::r12, &To::setR12, &From::getR12}, Field{&Registers::r13, &To::setR13, &From::getR13},
      Field{&Registers::r14, &To::setR14, &From::getR14}, Field{&Registers::r15, &To::setR15, &From::getR15},
      Field{&Registers::rip, &To::setRip, &From::getRip}, Field{&Registers::rflags, &To::setRflags, &From::getRflags}};
  static constexpr std::size_t kByHand = 0;
};

template <>
struct Fields<Segment> {
  using To = schema::Segment::Builder;
  using From = schema::Segment::Reader;
  static constexpr auto kRows = std::tuple{Field{&Segment::base, &To::setBase, &From::getBase},
                                           Field{&Segment::limit, &To::setLimit, &From::getLimit},
                                           Field{&Segment::selector, &To::setSelector, &From::getSelector},
                                           Field{&Segment::type, &To::setType, &From::getType},
                                           Field{&Segment::dpl, &To::setDpl, &From::getDpl},
                                           Field{&Segment::s, &To::setS, &From::getS},
                                           Field{&Segment::present, &To::setPresent, &From::getPresent},
                                           Field{&Segment::avl, &To::setAvl, &From::getAvl},
                                           Field{&Segment::l, &To::setL, &From::getL},
                                           Field{&Segment::db, &To::setDb, &From::getDb},
                                           Field{&Segment::g, &To::setG, &From::getG},
                                           Field{&Segment::unusable, &To::setUnusable, &From::getUnusable}};
  static constexpr std::size_t kByHand = 0;
};

template <>
struct Fields<DescriptorTable> {
  using To = schema::DescriptorTable::Builder;
  using From = schema::DescriptorTable::Reader;
  static constexpr auto kRows = std::tuple{Field{&DescriptorTable::base, &To::setBase, &From::getBase},
                                           Field{&DescriptorTable::limit, &To::setLimit, &From::getLimit}};
  static constexpr std::size_t kByHand = 0;
};

template <>
struct Fields<SystemRegisters> {
  using To = schema::SystemRegisters::Builder;
  using From = schema::SystemRegisters::Reader;
  static constexpr auto kRows = std::tuple{Field{&SystemRegisters::cr0, &To::setCr0, &From::getCr0},
                                           Field{&SystemRegisters::cr2, &To::setCr2, &From::getCr2},
                                           Field{&SystemRegisters::cr3, &To::setCr3, &From::getCr3},
                                           Field{&SystemRegisters::cr4, &To::setCr4, &From::getCr4},
                                           Field{&SystemRegisters::cr8, &To::setCr8, &From::getCr8},
                                           Field{&SystemRegisters::efer, &To::setEfer, &From::getEfer},
                                           Field{&SystemRegisters::apicBase, &To::setApicBase, &From::getApicBase}};
  // eight segments, two descriptor tables
  static constexpr std::size_t kByHand = 10;
};

template <>
struct Fields<DebugRegisters> {
  using To = schema::DebugRegisters::Builder;
  using From = schema::DebugRegisters::Reader;
  static constexpr auto kRows = std::tuple{Field{&DebugRegisters::dr6, &To::setDr6, &From::getDr6},
                                           Field{&DebugRegisters::dr7, &To::setDr7, &From::getDr7}};
  // db
  static constexpr std::size_t kByHand = 1;
};

template <>
struct Fields<MsrValue> {
  using To = schema::Msr::Builder;
  using From = schema::Msr::Reader;
  static constexpr auto kRows = std::tuple{Field{&MsrValue::index, &To::setIndex, &From::getIndex},
                                           Field{&MsrValue::value, &To::setValue, &From::getValue}};
  static constexpr std::size_t kByHand = 0;
};

template <>
struct Fields<PendingEvents> {
  using To = schema::PendingEvents::Builder;
  using From = schema::PendingEvents::Reader;
  static constexpr auto kRows = std::tuple{
      Field{&PendingEvents::exceptionInjected, &To::setExceptionInjected, &From::getExceptionInjected},
      Field{&PendingEvents::exceptionPending, &To::setExceptionPending, &From::getExceptionPending},
      Field{&PendingEvents::exceptionHasErrorCode, &To::setExceptionHasErrorCode, &From::getExceptionHasErrorCode},
      Field{&PendingEvents::exceptionHasPayload, &To::setExceptionHasPayload, &From::getExceptionHasPayload},
      Field{&PendingEvents::exceptionVector, &To::setExceptionVector, &From::getExceptionVector},
      Field{&PendingEvents::exceptionErrorCode, &To::setExceptionErrorCode, &From::getExceptionErrorCode},
      Field{&PendingEvents::exceptionPayload, &To::setExceptionPayload, &From::getExceptionPayload},
      Field{&PendingEvents::interruptInjected, &To::setInterruptInjected, &From::getInterruptInjected},
      Field{&PendingEvents::interruptSoft, &To::setInterruptSoft, &From::getInterruptSoft},
      Field{&PendingEvents::interruptVector, &To::setInterruptVector, &From::getInterruptVector},
      Field{&PendingEvents::shadowSti, &To::setShadowSti, &From::getShadowSti},
      Field{&PendingEvents::shadowMovSs, &To::setShadowMovSs, &From::getShadowMovSs},
      Field{&PendingEvents::nmiInjected, &To::setNmiInjected, &From::getNmiInjected},
      Field{&PendingEvents::nmiPending, &To::setNmiPending, &From::getNmiPending},
      Field{&PendingEvents::nmiMasked, &To::setNmiMasked, &From::getNmiMasked},
      Field{&PendingEvents::sipiVector, &To::setSipiVector, &From::getSipiVector},
      Field{&PendingEvents::smmActive, &To::setSmmActive, &From::getSmmActive},
      Field{&PendingEvents::smiPending, &To::setSmiPending, &From::getSmiPending},
      Field{&PendingEvents::smmInsideNmi, &To::setSmmInsideNmi, &From::getSmmInsideNmi},
      Field{&PendingEvents::smiLatchedInit, &To::setSmiLatchedInit, &From::getSmiLatchedInit},
      Field{&PendingEvents::tripleFaultPending, &To::setTripleFaultPending, &From::getTripleFaultPending}};
  static constexpr std::size_t kByHand = 0;
};

template <>
struct Fields<CpuState> {
  using To = schema::Cpu::Builder;
  using From = schema::Cpu::Reader;
  static constexpr auto kRows =
      std::tuple{Field{&CpuState::tscKhz, &To::setTscKhz, &From::getTscKhz},
                 Field{&CpuState::hasRandomState, &To::setHasRandomState, &From::getHasRandomState},
                 Field{&CpuState::randomState, &To::setRandomState, &From::getRandomState},
                 Field{&CpuState::timerExpiry, &To::setTimerExpiry, &From::getTimerExpiry}};
  // what consists of more than one number
  static constexpr std::size_t kByHand = 9;
};

}  // namespace qm::snapshot
