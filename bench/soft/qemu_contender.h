// QEMU's microvm on TCG, its CPU in software, with the same kernel, initramfs, memory and number of vCPUs as ours and
// what serves it best (README.md). The reply is the same agent's over a port of a virtio console: there is no vsock
// without vhost-vsock.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "bench/soft/contender.h"

namespace qm::bench {

enum class QemuRestore : std::uint8_t {
  incoming,  // all of the guest, RAM too, read from a file
  mapped,    // RAM is a file that every clone maps privately (x-ignore-shared), the rest is read
};

class QemuContender final : public Contender {
 public:
  // `tscKhz`: the host's, which the guest is told, since it cannot find out.
  QemuContender(QemuRestore how, std::filesystem::path qemu, std::filesystem::path folder, std::uint64_t tscKhz)
      : how_(how), qemu_(std::move(qemu)), folder_(std::move(folder)), tscKhz_(tscKhz) {}

  std::string prefix() const override { return how_ == QemuRestore::incoming ? "qemu_" : "qemu_template_"; }
  std::string title() const override { return how_ == QemuRestore::incoming ? "QEMU" : "QEMU, RAM mapped from a file"; }
  Result<std::unique_ptr<Guest>> boot(const Recipe& recipe) override;
  Status prepare(const Recipe& recipe) override;
  Result<std::unique_ptr<Guest>> restore() override;

 private:
  std::filesystem::path state() const { return folder_ / (prefix() + "state"); }

  QemuRestore how_;
  std::filesystem::path qemu_, folder_;
  std::uint64_t tscKhz_;
  Recipe saved_;
  std::uint32_t next_ = 0;  // numbers VMs
};

}  // namespace qm::bench
