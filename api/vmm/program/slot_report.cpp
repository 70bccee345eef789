#include "api/vmm/program/slot_report.h"

#include <variant>

namespace qm::vmm {

namespace {

using slot::ExitKind;

struct KindOf {
  ExitKind operator()(const MmioRead& /*exit*/) const { return ExitKind::mmioRead; }
  ExitKind operator()(const MmioWrite& /*exit*/) const { return ExitKind::mmioWrite; }
  ExitKind operator()(const IoRead& /*exit*/) const { return ExitKind::portRead; }
  ExitKind operator()(const IoWrite& /*exit*/) const { return ExitKind::portWrite; }
  ExitKind operator()(const Interrupted& /*exit*/) const { return ExitKind::interrupted; }
  ExitKind operator()(const Alarm& /*exit*/) const { return ExitKind::interrupted; }
  ExitKind operator()(const Halted& /*exit*/) const { return ExitKind::last; }
  ExitKind operator()(const Shutdown& /*exit*/) const { return ExitKind::last; }
  ExitKind operator()(const SystemReset& /*exit*/) const { return ExitKind::last; }
  ExitKind operator()(const Fault& /*exit*/) const { return ExitKind::last; }
};

}  // namespace

slot::ExitKind exitKindOf(const VcpuExit& exit) {
  return std::visit(KindOf(), exit);
}

std::function<void(std::size_t, const VcpuExit&)> exitsTo(slot::Writer* page) {
  if (page == nullptr) return {};
  return [page](std::size_t vcpu, const VcpuExit& exit) { page->exited(vcpu, exitKindOf(exit)); };
}

void reportBeats(EventLoop& loop, slot::Writer& page) {
  loop.observeRounds([&page](EventLoop::Round round) {
    if (round == EventLoop::Round::begins) {
      page.beatBegins();
    } else {
      page.beatEnds();
    }
  });
}

}  // namespace qm::vmm
