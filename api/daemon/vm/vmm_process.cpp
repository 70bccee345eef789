#include "api/daemon/vm/vmm_process.h"

#include <signal.h>

#include <chrono>
#include <utility>

#include <fmt/format.h>

namespace qm {

VmmProcess::VmmProcess(std::string id, VmFolder folder, VmmLauncher::Launched launched, VmmLauncher& launcher,
                       VmAccounts& accounts)
    : id_(std::move(id)),
      folder_(std::move(folder)),
      process_(std::move(launched.process)),
      launcher_(launcher),
      accounts_(accounts),
      account_(accounts.open(id_, process_.pid(), std::move(launched.slot))),
      control_(std::move(launched.control)),
      limits_(launched.limits) {}

VmmProcess::~VmmProcess() {
  end();
}

bool VmmProcess::hasEnded() const {
  return process_.waitForEnd(std::chrono::steady_clock::now());
}

Status VmmProcess::ask(const VmmRequest& request, pool::Deadline deadline) {
  return told(control_.ask(request, deadline));
}

Status VmmProcess::ask(VmmControl::Body body, std::span<const int> files, std::string_view what,
                       pool::Deadline deadline) {
  // It goes on when the message is there: the guest's last instructions are those until it is read.
  return told(control_.ask(std::move(body), files, what, deadline, [this] { proceed(); }));
}

Status VmmProcess::limitTo(const CgroupLimits& limits) {
  if (limits == limits_) return {};
  TRY(launcher_.limit(process_, limits));
  limits_ = limits;
  return {};
}

Status VmmProcess::told(Status done) const {
  if (!done.has_value()) return explained(std::move(done).error());
  return {};
}

Error VmmProcess::explained(Error error) const {
  if (!hasEnded()) return error;
  const std::string words = lastWords(folder_);
  if (words.empty()) return error;
  return Error(error.remedy(), fmt::format("{}; the VM's process has ended, its last words: {}", error.text(), words));
}

// None of these signals can fail on a process that we may signal, and one that has ended takes them silently.
void VmmProcess::halt() {
  isHalted_ = true;
  static_cast<void>(process_.signal(SIGSTOP));
}

void VmmProcess::proceed() {
  if (isHalted_.exchange(false)) static_cast<void>(process_.signal(SIGCONT));
}

void VmmProcess::kill() {
  account_->killing();
  static_cast<void>(process_.signal(SIGKILL));
}

void VmmProcess::end() {
  std::call_once(ended_, [this] {
    kill();
    launcher_.awaitEnd(process_);
    accounts_.close(id_);
    launcher_.reap(process_);
    removeVmFolder(folder_);
  });
}

}  // namespace qm
