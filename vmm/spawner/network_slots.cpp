#include "vmm/spawner/network_slots.h"

#include <array>
#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "vmm/os/copy.h"
#include "vmm/os/message_socket.h"
#include "vmm/os/namespaces.h"
#include "vmm/os/program.h"
#include "vmm/result/check.h"

namespace qm::spawner {

namespace {

// A slot for each jailed user, and those that are kept ready or are just being closed.
constexpr std::size_t kMostSlots = 4096;
// As for a jail.
constexpr std::chrono::seconds kLimit{5};

// Elsewhere until the destruction. There is no way on for a spawner that does not come home: what it starts from then
// on would be in a guest's network.
class Abroad {
 public:
  explicit Abroad(const FileDescriptor& home) : home_(home) {}
  Abroad(const Abroad&) = delete;
  Abroad& operator=(const Abroad&) = delete;
  ~Abroad() { CHECK(enterNamespace(home_, Namespace::network).has_value()); }

 private:
  const FileDescriptor& home_;
};

using Descriptors = std::vector<FileDescriptor>;

// What a copy of this process opens, in namespaces of its own or in those that it enters, and sends home.
Result<Descriptors> openedInCopy(std::span<const Namespace> namespaces,
                                 const std::function<Result<Descriptors>()>& work) {
  auto [ours, theirs] = TRY(messageSocketPair());
  const CopiedWork copied = [&work, &sender = theirs](FileDescriptor&) -> Status {
    TRY(beginAfresh());
    const Descriptors opened = TRY(work());
    std::vector<int> numbers;
    for (const FileDescriptor& one : opened) numbers.push_back(one.get());
    const std::byte word{1};
    return sendMessage(sender, std::span(&word, 1), numbers);
  };
  const Process process = TRY(runInCopy(namespaces, copied, kLimit));
  (void)process.reap();
  return std::move(TRY(receiveMessage(ours)).descriptors);
}

Error notHome() {
  return {Remedy::giveUp, "what a network slot is made of did not come home"};
}

Result<Descriptors> openSlotInCopy() {
  const std::array namespaces{Namespace::user, Namespace::network};
  Descriptors opened = TRY(openedInCopy(namespaces, []() -> Result<Descriptors> {
    Descriptors parts;
    parts.push_back(TRY(network::furnishSlot()));
    parts.push_back(TRY(openOwn(Namespace::network)));
    parts.push_back(TRY(openOwn(Namespace::user)));
    return parts;
  }));
  if (opened.size() != 3) return notHome();
  return opened;
}

}  // namespace

Result<NetworkSlots> NetworkSlots::create(Privilege privilege) {
  return NetworkSlots(privilege, TRY(openOwn(Namespace::network)));
}

Result<FileDescriptor> NetworkSlots::makeHere(Slot& slot) const {
  const Abroad abroad(home_);
  TRY(moveToOwn(std::array{Namespace::network}));
  FileDescriptor tap = TRY(network::furnishSlot());
  slot.network = TRY(openOwn(Namespace::network));
  return tap;
}

Result<NetworkSlots::Made> NetworkSlots::make() {
  if (slots_.size() >= kMostSlots) return Error(Remedy::retry, "there are too many network slots");
  Slot slot;
  FileDescriptor tap;
  if (privilege_ == Privilege::full) {
    tap = TRY(makeHere(slot).during("making a network slot"));
  } else {
    Descriptors opened = TRY(openSlotInCopy().during("making a network slot"));
    tap = std::move(opened[0]);
    slot = {.network = std::move(opened[1]), .user = std::move(opened[2])};
  }
  const std::uint32_t number = ++last_;
  slots_.insert_or_assign(number, std::move(slot));
  return Made{.slot = number, .tap = std::move(tap)};
}

Result<const NetworkSlots::Slot*> NetworkSlots::find(std::uint32_t slot) const {
  const auto found = slots_.find(slot);
  if (found == slots_.end()) return Error(Remedy::fixInput, "there is no network slot " + std::to_string(slot));
  return &found->second;
}

Result<FileDescriptor> NetworkSlots::openHere(const Slot& slot, network::SlotSocket kind) const {
  const Abroad abroad(home_);
  TRY(enterNamespace(slot.network, Namespace::network));
  return network::openSlotSocket(kind);
}

Result<FileDescriptor> NetworkSlots::openSocket(std::uint32_t slot, network::SlotSocket kind) const {
  const Slot& in = *TRY(find(slot));
  if (!in.user.isOpen()) return openHere(in, kind);
  Descriptors opened = TRY(openedInCopy({}, [&in, kind]() -> Result<Descriptors> {
    TRY(enterNamespace(in.user, Namespace::user));
    TRY(enterNamespace(in.network, Namespace::network));
    Descriptors socket;
    socket.push_back(TRY(network::openSlotSocket(kind)));
    return socket;
  }));
  if (opened.size() != 1) return notHome();
  return std::move(opened.front());
}

Status NetworkSlots::close(std::uint32_t slot) {
  TRY(find(slot));
  slots_.erase(slot);
  return {};
}

}  // namespace qm::spawner
