// QEMU's microvm under KVM with our guest: the same kernel, initramfs, memory and devices as OurVm, vsock by
// vhost-vsock. Killed and reaped at the latest with this.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

#include "bench/start/clock.h"
#include "bench/start/places.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/os/process.h"
#include "vmm/result/result.h"

namespace qm::bench {

class QemuVm {
 public:
  static Result<QemuVm> boot(const Places& places, std::uint32_t cid);
  // -incoming: goes on from a file that save() wrote.
  static Result<QemuVm> restore(const Places& places, std::uint32_t cid, const std::filesystem::path& file);
  QemuVm(QemuVm&&) noexcept = default;
  QemuVm& operator=(QemuVm&&) = delete;
  ~QemuVm();

  // Migrates it into a file; it does not run afterwards.
  Status save(const std::filesystem::path& file) const;
  Result<Clock::time_point> waitForReply(std::chrono::milliseconds pause) const;
  pid_t pid() const { return process_.pid(); }

 private:
  QemuVm(std::filesystem::path monitor, std::uint32_t cid, Process process)
      : monitor_(std::move(monitor)), cid_(cid), process_(std::move(process)) {}
  static Result<QemuVm> start(const Places& places, std::uint32_t cid, const std::filesystem::path& incoming);

  std::filesystem::path monitor_;  // QMP's socket
  std::uint32_t cid_;
  Process process_;
};

}  // namespace qm::bench
