#include "bench/soft/qemu_contender.h"

#include <vector>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "bench/soft/qemu_guest.h"

namespace qm::bench {

namespace {

using boost::json::array;
using boost::json::object;

enum class RamFile : std::uint8_t { none, shared, copyOnWrite };

// acpi=off: the guest's kernel has none and takes the MP table. PIT, PIC and RTC stay: without them the kernel waits
// for them in vain, 1.5 s.
std::vector<std::string> machine(const Recipe& recipe, std::uint64_t tscKhz) {
  std::vector<std::string> words{
      "-cpu",
      "max",
      "-smp",
      "1",
      "-m",
      std::to_string(recipe.memoryMib),
      "-kernel",
      recipe.kernel,
      "-initrd",
      recipe.initrd,
      "-append",
      fmt::format("{} tsc_early_khz={} tsc=reliable qm.port=/dev/vport0p1", recipe.bootArguments(), tscKhz),
      "-global",
      "virtio-mmio.force-legacy=false",
      "-device",
      "virtio-rng-device",
      "-display",
      "none",
      "-nodefaults",
      "-no-user-config",
      "-no-reboot"};
  if (!recipe.disk.empty()) {
    words.insert(words.end(),
                 {"-drive", fmt::format("id=disk,if=none,format=raw,readonly=on,file={}", recipe.disk.native()),
                  "-device", "virtio-blk-device,drive=disk"});
  }
  return words;
}

void addRam(std::vector<std::string>& words, RamFile kind, const Recipe& recipe, const std::filesystem::path& file) {
  std::string board = "microvm,accel=tcg,acpi=off";
  if (kind != RamFile::none) {
    board += ",memory-backend=ram";
    words.insert(words.end(),
                 {"-object", fmt::format("memory-backend-file,id=ram,size={}M,mem-path={},share={}", recipe.memoryMib,
                                         file.native(), kind == RamFile::shared ? "on" : "off")});
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

Result<std::unique_ptr<Guest>> QemuContender::boot(const Recipe& recipe) {
  std::vector<std::string> words = machine(recipe, tscKhz_);
  addRam(words, RamFile::none, recipe, {});
  return QemuGuest::start(
      {.qemu = qemu_, .base = folder_ / fmt::format("{}{}", prefix(), ++next_), .arguments = words});
}

Status QemuContender::prepare(const Recipe& recipe) {
  saved_ = recipe;
  std::vector<std::string> words = machine(recipe, tscKhz_);
  const bool isMapped = how_ == QemuRestore::mapped;
  addRam(words, isMapped ? RamFile::shared : RamFile::none, recipe, folder_ / "qemu-ram");
  const auto guest =
      TRY(QemuGuest::start({.qemu = qemu_, .base = folder_ / (prefix() + "source"), .arguments = words}));
  TRY(guest->waitForReply(kBootPause));
  QemuMonitor monitor = TRY(guest->monitor());
  if (isMapped) TRY(leaveRamOut(monitor));
  return monitor.saveGuest(state());
}

Result<std::unique_ptr<Guest>> QemuContender::restore() {
  std::vector<std::string> words = machine(saved_, tscKhz_);
  const bool isMapped = how_ == QemuRestore::mapped;
  addRam(words, isMapped ? RamFile::copyOnWrite : RamFile::none, saved_, folder_ / "qemu-ram");
  words.insert(words.end(), {"-incoming", isMapped ? "defer" : "fd:3"});
  const FileDescriptor file = TRY(openFile(state(), OpenMode::read));
  auto guest = TRY(QemuGuest::start({.qemu = qemu_,
                                     .base = folder_ / fmt::format("{}{}", prefix(), ++next_),
                                     .arguments = words,
                                     .descriptor = &file}));
  if (isMapped) {
    QemuMonitor monitor = TRY(guest->monitor());
    TRY(leaveRamOut(monitor));
    TRY(monitor.execute({{"execute", "migrate-incoming"}, {"arguments", object{{"uri", "fd:3"}}}}));
  }
  return guest;
}

}  // namespace qm::bench
