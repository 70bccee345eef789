#include "api/daemon/vm/vmm_process.h"

#include <signal.h>

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "api/daemon/vm/vm_limits.h"

namespace qm {

namespace {

// From where a process's sockets are closed until it counts as ended, on a machine with much to do.
constexpr std::chrono::milliseconds kEndIsNear{250};

}  // namespace

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

Status VmmProcess::ask(const VmmRequest& request, pool::Deadline deadline, std::span<const int> files) {
  return told(control_.ask(request, deadline, files));
}

Status VmmProcess::ask(VmmControl::Body body, std::span<const int> files, std::string_view what,
                       pool::Deadline deadline) {
  // It goes on when the message is there: the guest's last instructions are those until it is read.
  return told(control_.ask(std::move(body), files, what, deadline, [this] { proceed(); }));
}

Status VmmProcess::limitTo(const CgroupLimits& limits, std::string_view templateName) {
  if (templateName_ != templateName) templateName_ = templateName;
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
  if (isKilled_) return error;
  const auto now = std::chrono::steady_clock::now();
  if (!process_.waitForEnd(error.remedy() == Remedy::giveUp ? now + kEndIsNear : now)) return error;
  const std::string shortage = sentenceOf(launcher_.memoryShortage(process_), limits_, templateName_);
  if (!shortage.empty())
    return Error(error.remedy(), fmt::format("{}; the VM's process has ended: {}", error.text(), shortage));
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
  isKilled_ = true;
  account_->killing();
  static_cast<void>(process_.signal(SIGKILL));
}

void VmmProcess::end() {
  std::call_once(ended_, [this] {
    kill();
    launcher_.awaitEnd(process_);
    accounts_.close(id_);
    if (const auto ended = launcher_.reap(process_)) accounts_.ended(endingOf(*ended));
    removeVmFolder(folder_);
  });
}

VmEnding VmmProcess::endingOf(const spawner::Ended& ended) const {
  VmEnding ending{.id = id_, .templateName = templateName_, .how = endOf(ended), .why = {}};
  if (ending.how == VmEnd::killed) return ending;
  ending.why = sentenceOf(ended.shortage, limits_, templateName_);
  if (!ending.why.empty()) return ending;
  ending.why =
      ended.how.signal != 0 ? fmt::format("signal {}", ended.how.signal) : fmt::format("code {}", ended.how.code);
  if (const std::string words = lastWords(folder_); !words.empty()) ending.why += ", its last words: " + words;
  return ending;
}

}  // namespace qm
