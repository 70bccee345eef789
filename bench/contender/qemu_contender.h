// QEMU's microvm, on KVM or on TCG, its CPU in software, with the same kernel, initramfs, memory and number of vCPUs as
// ours and what serves it best (README.md). The reply is the same agent's over a port of a virtio console: there is no
// vsock without vhost-vsock.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bench/contender/contender.h"
#include "bench/contender/qemu_guest.h"

namespace qm::bench {

enum class QemuRestore : std::uint8_t {
  incoming,  // all of the guest, RAM too, read from a file
  mapped,    // RAM is a file that every clone maps privately (x-ignore-shared), the rest is read
};

enum class Accelerator : std::uint8_t { tcg, kvm };

struct QemuSettings {
  std::filesystem::path program;
  std::filesystem::path folder;  // for sockets, snapshots, logs
  Accelerator accelerator = Accelerator::tcg;
  std::uint64_t tscKhz = 0;  // the host's, which a guest on TCG is told, since it cannot find out
};

class QemuContender final : public Contender {
 public:
  QemuContender(QemuRestore how, QemuSettings settings) : how_(how), settings_(std::move(settings)) {}

  std::string prefix() const override { return how_ == QemuRestore::incoming ? "qemu_" : "qemu_template_"; }
  std::string title() const override { return how_ == QemuRestore::incoming ? "QEMU" : "QEMU, RAM mapped from a file"; }
  Result<std::unique_ptr<Guest>> boot(const Recipe& recipe) override;
  Status prepare(const Recipe& recipe) override;
  Result<std::unique_ptr<Guest>> restore() override;

 private:
  Result<std::unique_ptr<QemuGuest>> start(std::vector<std::string> words, const FileDescriptor* file);
  std::filesystem::path state() const { return settings_.folder / (prefix() + "state"); }

  QemuRestore how_;
  QemuSettings settings_;
  Recipe saved_;
  std::uint32_t next_ = 0;  // numbers VMs
};

}  // namespace qm::bench
