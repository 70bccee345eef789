#include "bench/contender/qemu_contender.h"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "bench/start/agent_reply.h"

namespace qm::bench {

namespace {

using boost::json::array;
using boost::json::object;

enum class RamFile : std::uint8_t { none, shared, copyOnWrite };

// acpi=off: the guest's kernel has none and takes the MP table. PIT, PIC and RTC stay: without them the kernel waits
// for them in vain, 1.5 s.
std::vector<std::string> machine(const Recipe& recipe, const QemuSettings& settings) {
  // On KVM the guest has the host's rate from kvmclock.
  std::string line = recipe.bootArguments() + " qm.port=/dev/vport0p1";
  if (settings.accelerator == Accelerator::tcg) line += fmt::format(" tsc_early_khz={} tsc=reliable", settings.tscKhz);
  std::vector<std::string> words{"-cpu",        "max",
                                 "-smp",        "1",
                                 "-m",          std::to_string(recipe.memoryMib),
                                 "-kernel",     recipe.kernel,
                                 "-initrd",     recipe.initrd,
                                 "-append",     line,
                                 "-global",     "virtio-mmio.force-legacy=false",
                                 "-device",     "virtio-rng-device",
                                 "-display",    "none",
                                 "-nodefaults", "-no-user-config",
                                 "-no-reboot"};
  if (!recipe.disk.empty()) {
    words.insert(words.end(),
                 {"-drive", fmt::format("id=disk,if=none,format=raw,readonly=on,file={}", recipe.disk.native()),
                  "-device", "virtio-blk-device,drive=disk"});
  }
  return words;
}

void addRam(std::vector<std::string>& words, RamFile kind, const Recipe& recipe, const QemuSettings& settings) {
  std::string board =
      fmt::format("microvm,accel={},acpi=off", settings.accelerator == Accelerator::kvm ? "kvm" : "tcg");
  if (kind != RamFile::none) {
    board += ",memory-backend=ram";
    words.insert(words.end(), {"-object", fmt::format("memory-backend-file,id=ram,size={}M,mem-path={},share={}",
                                                      recipe.memoryMib, (settings.folder / "qemu-ram").native(),
                                                      kind == RamFile::shared ? "on" : "off")});
  }
  words.insert(words.end(), {"-M", board});
}

Status leaveRamOut(QemuMonitor& monitor) {
  const object capability{{"capability", "x-ignore-shared"}, {"state", true}};
  TRY(monitor.execute(
      {{"execute", "migrate-set-capabilities"}, {"arguments", object{{"capabilities", array{capability}}}}}));
  return {};
}

}  // namespace

Result<std::unique_ptr<QemuGuest>> QemuContender::start(std::vector<std::string> words, const FileDescriptor* file) {
  return QemuGuest::start({.qemu = settings_.program,
                           .base = settings_.folder / fmt::format("{}{}", prefix(), ++next_),
                           .arguments = std::move(words),
                           .descriptor = file});
}

Result<std::unique_ptr<Guest>> QemuContender::boot(const Recipe& recipe) {
  std::vector<std::string> words = machine(recipe, settings_);
  addRam(words, RamFile::none, recipe, settings_);
  return start(std::move(words), nullptr);
}

Status QemuContender::prepare(const Recipe& recipe) {
  saved_ = recipe;
  std::vector<std::string> words = machine(recipe, settings_);
  const bool isMapped = how_ == QemuRestore::mapped;
  addRam(words, isMapped ? RamFile::shared : RamFile::none, recipe, settings_);
  const auto guest = TRY(start(std::move(words), nullptr));
  TRY(guest->waitForReply(kBootPause));
  QemuMonitor monitor = TRY(guest->monitor());
  if (isMapped) TRY(leaveRamOut(monitor));
  return monitor.saveGuest(state());
}

Result<std::unique_ptr<Guest>> QemuContender::restore() {
  std::vector<std::string> words = machine(saved_, settings_);
  const bool isMapped = how_ == QemuRestore::mapped;
  addRam(words, isMapped ? RamFile::copyOnWrite : RamFile::none, saved_, settings_);
  words.insert(words.end(), {"-incoming", isMapped ? "defer" : "fd:3"});
  const FileDescriptor file = TRY(openFile(state(), OpenMode::read));
  auto guest = TRY(start(std::move(words), &file));
  if (isMapped) {
    QemuMonitor monitor = TRY(guest->monitor());
    TRY(leaveRamOut(monitor));
    TRY(monitor.execute({{"execute", "migrate-incoming"}, {"arguments", object{{"uri", "fd:3"}}}}));
  }
  return guest;
}

}  // namespace qm::bench
