// Callers who wait for a clone because none was ready, in the order in which they came. The makers see to them before
// they refill: so as many clones are made at once as the host has processors for, however many callers there are, and
// whoever came first is served first.
//
// Threads: none of its own; the pool's mutex guards it, and every Order while it is in here.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pool/clock/clock.h"
#include "pool/road/phases.h"
#include "pool/road/road.h"
#include "pool/vm/living_vms.h"
#include "vmm/os/eventfd.h"
#include "vmm/result/result.h"

namespace qm::pool {

// A clone on its way to somebody.
struct Taken {
  Vm vm;
  Road road = Road::ready;
  Phases phases;  // what the one who takes it waited for
};

// Its caller's, who keeps it until it is answered or withdrawn.
struct Order {
  std::string templateName;
  TimePoint since;
  TimePoint until = TimePoint::max();  // nobody wants the clone after it
  std::optional<Road> forced;          // blank or spawn: a clone made for it alone, by this road
  Vm blank;                            // with forced == blank: the process to restore into
  std::uint32_t failures = 0;          // clones that were made for it, or for somebody before it, and failed
  std::optional<Result<Taken>> answer;
  std::condition_variable answered;
  const Eventfd* bell = nullptr;  // rung besides, for a caller who waits in epoll
};

class Orders {
 public:
  void add(Order& order);
  // Removes it and wakes its caller, who may then be gone: do not look at it again.
  void answer(Order& order, Result<Taken> answer);
  void answerAll(const Error& error);
  // By its caller, who waits no longer. False: a maker has it already, and its answer comes.
  bool withdraw(Order& order);
  // Answers those whose time is over, so that no work is done for them.
  void dropLate(TimePoint now, const Error& error);
  // Of all templates, forced ones too.
  std::uint32_t count() const { return count_; }

  // The oldest that is served by any clone of the template. Null: none.
  Order* first(std::string_view templateName) const;
  // How many of those there are.
  std::uint32_t count(std::string_view templateName) const;
  // Whom any clone serves, by template.
  std::vector<std::string> templates() const;
  // The oldest forced one, which the caller is to answer; it is no longer open. Null: none.
  Order* takeForced();

 private:
  using Line = std::deque<Order*>;

  std::map<std::string, Line, std::less<>> lines_;  // none is empty
  Line forced_;
  std::uint32_t count_ = 0;
};

}  // namespace qm::pool
