#include "vmm/spawner/spawner.h"

#include <chrono>
#include <utility>

#include "vmm/jail/jail.h"
#include "vmm/os/copy.h"
#include "vmm/os/message_socket.h"
#include "vmm/os/program.h"

namespace qm::spawner {

namespace {

// A jail takes a millisecond or two; more than this is a host path on something that hangs.
constexpr std::chrono::seconds kJailLimit{5};

struct Spawner {
  const FileDescriptor& socket;
  const JailPolicy& policy;
  JailMaker maker;
  FileDescriptor null;
};

// A folder among the descriptors would be a door in the jail's wall: openat() and ".." lead out by it.
Status checkGiven(const Spawner& spawner, std::span<const FileDescriptor> given) {
  if (spawner.policy.isolation == Isolation::bare) return {};
  for (const FileDescriptor& file : given) {
    if (TRY(leadsToFiles(file))) return Error(Remedy::fixInput, "a folder's descriptor cannot be given into a jail");
  }
  return {};
}

Result<Process> spawn(const Spawner& spawner, const SpawnMessage& order, std::span<const FileDescriptor> descriptors) {
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
  const auto namespaces = namespacesFor(spawner.policy, order.jail, spawner.maker.privilege);
  const CopiedWork work = [&](FileDescriptor& teller) -> Status {
    TRY(beginAfresh());
    TRY(enterJail(spawner.policy, order.jail, spawner.maker));
    return becomeProgram(program, teller).during("starting " + order.arguments.front());
  };
  return runInCopy(namespaces, work, kJailLimit);
}

Status answerSpawn(const Spawner& spawner, const SpawnMessage& order, std::span<const FileDescriptor> descriptors) {
  const Result<Process> process = spawn(spawner, order, descriptors);
  if (!process.has_value()) return sendMessage(spawner.socket, encode(Answer(process.error())), {});
  const int descriptor = process->descriptor().get();
  return sendMessage(spawner.socket, encode(Answer(Spawned{.pid = process->pid()})), std::span(&descriptor, 1));
}

Answer reap(pid_t pid) {
  const Result<std::optional<ProcessEnd>> end = reapIfEnded(pid);
  if (!end.has_value()) return end.error();
  if (!end->has_value()) return Error(Remedy::retry, "process " + std::to_string(pid) + " has not ended");
  return **end;
}

Status answer(const Spawner& spawner, const Message& message) {
  const Result<Request> request = decodeRequest(message.bytes);
  if (!request.has_value()) return sendMessage(spawner.socket, encode(Answer(request.error())), {});
  if (const auto* order = std::get_if<SpawnMessage>(&*request))
    return answerSpawn(spawner, *order, message.descriptors);
  return sendMessage(spawner.socket, encode(reap(std::get<ReapMessage>(*request).pid)), {});
}

}  // namespace

Status serve(const FileDescriptor& socket, const JailPolicy& policy) {
  const PeerIdentity client = TRY(peerIdentity(socket));
  const Spawner spawner{.socket = socket,
                        .policy = policy,
                        .maker = jailMaker(client),
                        .null = TRY(openFile("/dev/null", OpenMode::readWrite))};
  for (;;) {
    const Result<Message> message = receiveMessage(socket);
    if (!message.has_value()) {
      if (message.error().remedy() == Remedy::giveUp) return message.error();
      TRY(sendMessage(socket, encode(Answer(message.error())), {}));
      continue;
    }
    if (message->bytes.empty()) return {};
    TRY(answer(spawner, *message));
  }
}

}  // namespace qm::spawner
