// Where the lowering of instructions puts operations: one block under construction.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "vmm/hypervisor/soft/cpu/form.h"
#include "vmm/hypervisor/soft/cpu/handler.h"
#include "vmm/hypervisor/soft/decode/instruction.h"

namespace qm::soft {

// A handler for each operand size and each way of addressing: [log2 of bytes][base, indexed, any].
using SizeTable = std::array<Handler, 4>;
using MemoryTable = std::array<std::array<Handler, 3>, 4>;

// What an operation does with the status flags, for the others around it. Flags that are overwritten before anybody can
// see them need not be made; everybody sees them where an operation may stop, since the event that stops it shows them.
enum class FlagRole : std::uint8_t {
  barrier,     // may stop, or nothing is known of it
  neutral,     // neither reads nor writes them, and never stops
  reads,       // and never stops
  merges,      // writes some and keeps the others, and never stops
  overwrites,  // writes all, reads none, and never stops
};

class Emitter {
 public:
  // Room for the block's operations; the last is kept for its end.
  explicit Emitter(std::span<Operation> room) : room_(room.first(std::min(room.size(), kMostOperations))) {}

  void begin(const Instruction& instruction, std::uint16_t offset);

  // The next operation of the instruction, with length, offset, ordinal and mnemonic filled in. An instruction may be
  // several operations; only the first may stop.
  Operation& add(Handler handler);
  // One whose instruction ends the block.
  Operation& addEnd(Handler handler);
  // A direct branch, to `target` bytes from the block's start: it and what follows can be linked.
  Operation& addBranch(Handler handler, std::int32_t target);
  // With a memory operand: the handler for its way of addressing, and the address's fields filled in.
  Operation& addMemory(const std::array<Handler, 3>& byForm, const Operand& memory);
  Operation& addMemoryEnd(const std::array<Handler, 3>& byForm, const Operand& memory);

  // The form that an operation's address has.
  static Form formOf(const Operation& operation);

  // Of the operation that was added last. `quiet` does the same and makes no flags; of a barrier it may be given, too.
  void setFlagRole(FlagRole role, Handler quiet = nullptr);
  // With all operations there: those whose flags nobody sees become quiet.
  void quietDeadFlags();

  // Fills base, index, scale, displacement, segment, addressing, addressBytes.
  void setAddress(Operation& operation, const Operand& operand) const;

  // What follows a block in memory, where no instruction ended it.
  void addFallThrough(Handler handler);
  // Which of the ends' targets lie in the block's own page, and so may be linked to (Operation::third, a bit a way).
  void markLinks(std::size_t startInPage);
  // Forgets operations, back to so many.
  void takeBackTo(std::size_t operations);

  bool hasEnded() const { return hasEnded_; }
  bool hasLinks() const { return hasLinks_; }       // the end is one that can be linked
  std::uint16_t offset() const { return offset_; }  // of the instruction from the block's start
  std::size_t operations() const { return count_; }
  std::size_t instructions() const { return instructions_; }
  bool hasRoom() const { return count_ + kMostPerInstruction < room_.size(); }

  static constexpr std::size_t kMostPerInstruction = 4;
  static constexpr std::size_t kMostOperations = 160;

 private:
  SegmentName addressedSegment(ZydisRegister told, std::uint8_t base) const;

  struct FlagUse {
    FlagRole role = FlagRole::barrier;
    std::int32_t quiet = 0;  // the handler's distance; 0: there is none
  };

  std::span<Operation> room_;
  std::array<FlagUse, kMostOperations> flagUse_{};
  const Instruction* instruction_ = nullptr;  // while it is lowered
  std::uint8_t length_ = 0;
  std::uint16_t mnemonic_ = 0;
  std::uint16_t offset_ = 0;
  std::size_t count_ = 0, instructions_ = 0;
  bool hasEnded_ = false, hasLinks_ = false;
};

// 1, 2, 4, 8 bytes → 0, 1, 2, 3.
constexpr std::size_t sizeIndex(unsigned bits) {
  return bits == 8 ? 0 : bits == 16 ? 1 : bits == 32 ? 2 : 3;
}

// Tables from a class template whose instances have a static `run` of the shape that `step` wants:
//   template <class T> struct Negate { static bool run(Cpu&, const Operation&, Flags&); };        bySize<Negate>()
//   template <class T, Form form> struct Load { static bool run(…); };                    bySizeAndForm<Load>()
template <template <class> class Body>
constexpr SizeTable bySize() {
  return {&step<&Body<std::uint8_t>::run>, &step<&Body<std::uint16_t>::run>, &step<&Body<std::uint32_t>::run>,
          &step<&Body<std::uint64_t>::run>};
}

template <template <class, Form> class Body>
constexpr MemoryTable bySizeAndForm() {
  const auto forms = []<class T>() -> std::array<Handler, 3> {
    return {&step<&Body<T, Form::base>::run>, &step<&Body<T, Form::indexed>::run>, &step<&Body<T, Form::any>::run>};
  };
  return {
    forms.template operator()<std::uint8_t>(),
    forms.template operator()<std::uint16_t>(),
    forms.template operator()<std::uint32_t>(),
    forms.template operator()<std::uint64_t>()
  };
}

// The same for a body without a size of its own.
template <template <Form> class Body>
constexpr std::array<Handler, 3> byForm() {
  return {&step<&Body<Form::base>::run>, &step<&Body<Form::indexed>::run>, &step<&Body<Form::any>::run>};
}

// A form for all three, where speed does not matter: Form::any takes every way of addressing.
template <auto body>
constexpr std::array<Handler, 3> anyForm() {
  return {&step<body>, &step<body>, &step<body>};
}
template <auto body>
constexpr std::array<Handler, 3> anySystemForm() {
  return {&system<body>, &system<body>, &system<body>};
}

}  // namespace qm::soft
