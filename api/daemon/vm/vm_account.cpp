#include "api/daemon/vm/vm_account.h"

#include <utility>

#include "api/daemon/vm/process_memory.h"

namespace qm {

namespace {

using slot::Moment;
using std::chrono::nanoseconds;

std::optional<nanoseconds> difference(const std::optional<nanoseconds>& from, const std::optional<nanoseconds>& to) {
  if (!from || !to || *to < *from) return std::nullopt;
  return *to - *from;
}

// What the page says of the time before the kernel was asked: no more than the kernel then said.
bool isLikely(const slot::View& view, const std::optional<nanoseconds>& cpu) {
  const auto& loaded = view.at(Moment::loaded);
  return !loaded || !cpu || loaded->cpu <= *cpu;
}

void addMarks(const slot::View& view, const std::optional<nanoseconds>& cpuRenewed, VmUse& use) {
  slot::Used before;
  constexpr std::pair<Moment, VmStretch> kUntil[]{
      {Moment::begun, VmStretch::jail}, {Moment::listening, VmStretch::start}, {Moment::loaded, VmStretch::load}};
  for (const auto& [moment, stretch] : kUntil) {
    const auto& used = view.at(moment);
    if (!used) return;
    use.cpuOf(stretch) = used->cpu - before.cpu;
    use.faultsOf(stretch) = used->faults - before.faults;
    before = *used;
  }
  use.cpuOf(VmStretch::renew) = difference(before.cpu, cpuRenewed);
}

}  // namespace

VmAccount::VmAccount(std::string id, pid_t pid, slot::SlotPage page)
    : id_(std::move(id)), process_(pid, FileDescriptor()), page_(std::move(page)) {}

VmAccount::Sample VmAccount::sample() {
  Sample sample{.cpu = process_.cpuTime()};
  Result<slot::View> view = page_.read();
  if (view.has_value()) sample.view = *std::move(view);
  return sample;
}

void VmAccount::renewed() {
  const std::lock_guard lock(mutex_);
  if (!renewed_) renewed_ = sample();
}

void VmAccount::killing() {
  const std::lock_guard lock(mutex_);
  if (!renewed_ || killed_) return;
  killed_ = sample();
  privateBytes_ = anonymousMemory(process_.pid());
}

std::optional<VmUse> VmAccount::gone() {
  const std::lock_guard lock(mutex_);
  isGone_ = true;
  if (!renewed_ || !killed_) return std::nullopt;
  return use(process_.cpuTime());
}

VmUse VmAccount::use(std::optional<nanoseconds> cpuAtEnd) const {
  VmUse use;
  use.privateBytes = privateBytes_;
  use.cpuOf(VmStretch::use) = difference(renewed_->cpu, killed_->cpu);
  use.cpuOf(VmStretch::end) = difference(killed_->cpu, cpuAtEnd);
  use.isRefused = !renewed_->view || !killed_->view || !isLikely(*renewed_->view, renewed_->cpu);
  if (use.isRefused) return use;
  const slot::View &first = *renewed_->view, &last = *killed_->view;
  addMarks(first, renewed_->cpu, use);
  use.renew = {.instructions = first.instructions, .decoded = first.decoded};
  use.use = {.instructions = last.instructions - first.instructions, .decoded = last.decoded - first.decoded};
  use.populatedPages = first.populated;
  use.exits = last.exits;
  return use;
}

VmLine VmAccount::line() {
  const std::lock_guard lock(mutex_);
  const Sample now = isGone_ ? Sample() : sample();
  return {.id = id_,
          .pid = process_.pid(),
          .age = std::chrono::steady_clock::now() - begun_,
          .view = now.view,
          .cpu = now.cpu};
}

std::shared_ptr<VmAccount> VmAccounts::open(const std::string& id, pid_t pid, slot::SlotPage page) {
  auto account = std::make_shared<VmAccount>(id, pid, std::move(page));
  const std::lock_guard lock(mutex_);
  living_.insert_or_assign(id, account);
  return account;
}

void VmAccounts::close(const std::string& id) {
  std::shared_ptr<VmAccount> account;
  {
    const std::lock_guard lock(mutex_);
    const auto found = living_.find(id);
    if (found == living_.end()) return;
    account = std::move(found->second);
    living_.erase(found);
  }
  if (const std::optional<VmUse> use = account->gone()) told_(*use);
}

std::size_t VmAccounts::count() const {
  const std::lock_guard lock(mutex_);
  return living_.size();
}

std::vector<VmLine> VmAccounts::lines(std::size_t most) const {
  std::vector<std::shared_ptr<VmAccount>> accounts;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, account] : living_) {
      if (accounts.size() == most) break;
      accounts.push_back(account);
    }
  }
  std::vector<VmLine> lines;
  lines.reserve(accounts.size());
  for (const auto& account : accounts) lines.push_back(account->line());
  return lines;
}

}  // namespace qm
