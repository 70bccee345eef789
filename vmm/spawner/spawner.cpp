#include "vmm/spawner/spawner.h"

#include <chrono>
#include <optional>
#include <utility>

#include "vmm/jail/jail.h"
#include "vmm/jail/jail_stock.h"
#include "vmm/os/copy.h"
#include "vmm/os/message_socket.h"
#include "vmm/os/program.h"
#include "vmm/spawner/jail_groups.h"
#include "vmm/spawner/jail_users.h"
#include "vmm/spawner/network_slots.h"

namespace qm::spawner {

namespace {

// A jail takes a millisecond or two; more than this is a host path on something that hangs.
constexpr std::chrono::seconds kJailLimit{5};

struct Spawner {
  const FileDescriptor& socket;
  const JailPolicy& policy;
  JailMaker maker;
  FileDescriptor null;
  JailStock stock;
  JailUsers users;
  JailGroups groups;
  NetworkSlots slots;
};

// Without a user of its own a process is the one that the policy names first; outside of a jail, the spawner's.
bool hasOwnUser(const Spawner& spawner) {
  return spawner.policy.isolation == Isolation::jailed && spawner.maker.privilege == Privilege::full;
}

// A folder among the descriptors would be a door in the jail's wall: openat() and ".." lead out by it.
Status checkGiven(const Spawner& spawner, std::span<const FileDescriptor> given) {
  if (spawner.policy.isolation == Isolation::bare) return {};
  for (const FileDescriptor& file : given) {
    if (TRY(leadsToFiles(file))) return Error(Remedy::fixInput, "a folder's descriptor cannot be given into a jail");
  }
  return {};
}

// With `group` for the process to begin in, or to go to as the first thing that it does.
Result<Process> startIn(Spawner& spawner, const std::optional<Cgroup>& group, const SpawnMessage& order,
                        const CopiedWork& work) {
  const FileDescriptor folder = group ? TRY(group->openForClone()) : FileDescriptor();
  return runInCopy(
      spawner.stock.namespacesFor(order.jail),
      [&](FileDescriptor& teller) -> Status {
        TRY(beginAfresh());
        if (group) TRY(group->enter().during("entering the VM's control group"));
        return work(teller);
      },
      kJailLimit, folder.isOpen() ? &folder : nullptr);
}

Result<Process> spawn(Spawner& spawner, const SpawnMessage& order, std::span<const FileDescriptor> descriptors) {
  if (descriptors.size() != order.numbers.size() + 1) {
    return Error(Remedy::fixInput, "the descriptors beside a message are not those that it names");
  }
  const auto given = descriptors.subspan(1);
  TRY(checkGiven(spawner, given));
  ProgramPlan program{.executable = descriptors.front().get(),
                      .arguments = order.arguments,
                      .descriptors = {},
                      .null = spawner.null.get()};
  for (std::size_t i = 0; i < given.size(); ++i) {
    program.descriptors.push_back({.ours = given[i].get(), .number = static_cast<int>(order.numbers[i])});
  }
  const uid_t user = hasOwnUser(spawner) ? TRY(spawner.users.free()) : spawner.policy.uid;
  const JailParts parts = spawner.stock.partsFor(order.jail);
  const CopiedWork work = [&](FileDescriptor& teller) -> Status {
    TRY(enterJail(spawner.policy, order.jail, spawner.maker, parts, user));
    return becomeProgram(program, teller).during("starting " + order.arguments.front());
  };
  std::optional<Cgroup> group = TRY(spawner.groups.take(order.jail.limits));
  Result<Process> process = startIn(spawner, group, order, work);
  if (!process.has_value()) {
    spawner.groups.giveBack(std::move(group));
    return process;
  }
  spawner.groups.hold(process->pid(), std::move(group));
  if (hasOwnUser(spawner)) spawner.users.hold(process->pid(), user);
  return process;
}

Status answerSpawn(Spawner& spawner, std::uint32_t number, const SpawnMessage& order,
                   std::span<const FileDescriptor> descriptors) {
  const Result<Process> process = spawn(spawner, order, descriptors);
  if (!process.has_value()) return sendMessage(spawner.socket, encode(number, Answer(process.error())), {});
  const int descriptor = process->descriptor().get();
  return sendMessage(spawner.socket, encode(number, Answer(Spawned{.pid = process->pid()})), std::span(&descriptor, 1));
}

Answer reap(Spawner& spawner, pid_t pid) {
  const Result<std::optional<ProcessEnd>> end = reapIfEnded(pid);
  if (!end.has_value()) return end.error();
  if (!end->has_value()) return Error(Remedy::retry, "process " + std::to_string(pid) + " has not ended");
  spawner.users.release(pid);
  return Ended{.how = **end, .shortage = spawner.groups.release(pid)};
}

// With what goes beside it.
struct Told {
  Answer answer;
  FileDescriptor beside;  // not open: nothing
};

Told told(Result<Told> done) {
  if (done.has_value()) return *std::move(done);
  return {.answer = done.error(), .beside = {}};
}

Result<Told> carryOut(Spawner& spawner, const ReapMessage& asked) {
  return Told{.answer = reap(spawner, asked.pid), .beside = {}};
}

Result<Told> carryOut(Spawner& spawner, const MakeSlotMessage& /*asked*/) {
  NetworkSlots::Made made = TRY(spawner.slots.make());
  return Told{.answer = SlotMade{.slot = made.slot}, .beside = std::move(made.tap)};
}

Result<Told> carryOut(Spawner& spawner, const OpenSocketMessage& asked) {
  return Told{.answer = SocketOpened{}, .beside = TRY(spawner.slots.openSocket(asked.slot, asked.kind))};
}

Result<Told> carryOut(Spawner& spawner, const CloseSlotMessage& asked) {
  TRY(spawner.slots.close(asked.slot));
  return Told{.answer = SlotClosed{}, .beside = {}};
}

Result<Told> carryOut(Spawner& spawner, const LimitMessage& asked) {
  TRY(spawner.groups.limit(asked.pid, asked.limits));
  return Told{.answer = Limited{}, .beside = {}};
}

Result<Told> carryOut(Spawner& spawner, const ShortageMessage& asked) {
  return Told{.answer = ShortageIs{.shortage = TRY(spawner.groups.memoryShortage(asked.pid))}, .beside = {}};
}

Result<Told> carryOut(Spawner& spawner, const GroupsMessage& /*asked*/) {
  const CgroupStock& stock = spawner.groups.stock();
  return Told{.answer = Groups{.controllers = stock.controllers(), .lacks = stock.lacks()}, .beside = {}};
}

template <class Asked>
Status answer(Spawner& spawner, std::uint32_t number, const Asked& asked,
              std::span<const FileDescriptor> /*descriptors*/) {
  const Told answered = told(carryOut(spawner, asked));
  const int beside = answered.beside.get();
  return sendMessage(spawner.socket, encode(number, answered.answer),
                     std::span(&beside, answered.beside.isOpen() ? 1U : 0U));
}

Status answer(Spawner& spawner, std::uint32_t number, const SpawnMessage& order,
              std::span<const FileDescriptor> descriptors) {
  return answerSpawn(spawner, number, order, descriptors);
}

Status answer(Spawner& spawner, const Message& message) {
  const std::uint32_t number = numberOf(message.bytes);
  const Result<Request> request = decodeRequest(message.bytes);
  if (!request.has_value()) return sendMessage(spawner.socket, encode(number, Answer(request.error())), {});
  return std::visit([&](const auto& asked) { return answer(spawner, number, asked, message.descriptors); }, *request);
}

// Until the socket is closed: who asks gets the reason as an answer, where it can act on it.
Status refuseAll(const FileDescriptor& socket, const Error& why) {
  for (;;) {
    const Message message = TRY(receiveMessage(socket));
    if (message.bytes.empty()) return {};
    TRY(sendMessage(socket, encode(numberOf(message.bytes), Answer(why)), {}));
  }
}

}  // namespace

Status serve(const FileDescriptor& socket, const JailPolicy& policy) {
  const PeerIdentity client = TRY(peerIdentity(socket));
  const JailMaker maker = jailMaker(client);
  // Before the namespaces: from within one of its own a process does not see where its group is.
  Result<CgroupStock> groups = CgroupStock::create(policy.cgroups);
  if (!groups.has_value()) return refuseAll(socket, groups.error());
  Spawner spawner{.socket = socket,
                  .policy = policy,
                  .maker = maker,
                  .null = TRY(openFile("/dev/null", OpenMode::readWrite)),
                  .stock = TRY(JailStock::create(policy, maker)),
                  .users = JailUsers(policy.uid, policy.uids),
                  .groups = JailGroups(std::move(groups).value()),
                  // After the stock, which moves this process where its jails will be.
                  .slots = TRY(NetworkSlots::create(maker.privilege))};
  for (;;) {
    const Result<Message> message = receiveMessage(socket);
    if (!message.has_value()) {
      if (message.error().remedy() == Remedy::giveUp) return message.error();
      TRY(sendMessage(socket, encode(0, Answer(message.error())), {}));
      continue;
    }
    if (message->bytes.empty()) return {};
    TRY(answer(spawner, *message));
  }
}

}  // namespace qm::spawner
