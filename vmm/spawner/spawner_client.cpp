#include "vmm/spawner/spawner_client.h"

#include <signal.h>

#include <mutex>
#include <utility>
#include <variant>

#include "vmm/os/message_socket.h"
#include "vmm/os/stream_socket.h"
#include "vmm/spawner/spawner_socket.h"

namespace qm {

namespace {

const char* nameOf(CgroupUse use) {
  return use == CgroupUse::required ? "required" : use == CgroupUse::off ? "off" : "where-possible";
}

std::vector<std::string> spawnerArguments(const JailPolicy& policy) {
  return {"--isolation", policy.isolation == Isolation::bare ? "bare" : "jailed",
          "--uid",       std::to_string(policy.uid),
          "--gid",       std::to_string(policy.gid),
          "--uids",      std::to_string(policy.uids),
          "--cgroups",   nameOf(policy.cgroups)};
}

// Paths are the spawner's to resolve, in a working directory of its own.
JailPlan absolute(JailPlan plan) {
  plan.folder = std::filesystem::absolute(plan.folder).lexically_normal();
  for (ReadOnlyBind& bind : plan.readOnly) bind.host = std::filesystem::absolute(bind.host).lexically_normal();
  return plan;
}

spawner::SpawnMessage messageOf(const SpawnRequest& request) {
  spawner::SpawnMessage message{
      .arguments = {request.executable.filename()}, .jail = absolute(request.jail), .numbers = {}};
  message.arguments.insert(message.arguments.end(), request.arguments.begin(), request.arguments.end());
  for (const GivenDescriptor& given : request.descriptors) {
    message.numbers.push_back(static_cast<std::uint32_t>(given.number));
  }
  return message;
}

Error lost(const std::string& why) {
  return {Remedy::giveUp, "the spawner is lost (" + why + "); start the daemon again"};
}

}  // namespace

struct SpawnerClient::Answered {
  spawner::Answer answer;
  std::vector<FileDescriptor> descriptors;
};

Result<SpawnerClient> SpawnerClient::start(const std::filesystem::path& executable, const JailPolicy& policy) {
  auto [ours, theirs] = TRY(messageSocketPair());
  Process process = TRY(Process::start({.executable = executable,
                                        .arguments = spawnerArguments(policy),
                                        .output = {},
                                        .descriptors = {{.ours = theirs.get(), .number = spawner::kSocketNumber}}}));
  SpawnerClient client = TRY(over(std::move(ours)));
  client.process_ = std::move(process);
  return client;
}

Result<SpawnerClient> SpawnerClient::over(FileDescriptor socket, std::chrono::milliseconds answerLimit) {
  TRY(setReceiveTimeout(socket, answerLimit));
  TRY(setSendTimeout(socket, answerLimit));
  return SpawnerClient(std::move(socket), answerLimit);
}

// One request at a time is under way, and its answer follows; before it there may be answers that came too late.
struct SpawnerClient::Conversation {
  std::mutex mutex;  // guards the rest, and the socket
  std::uint32_t number = 0;
  std::vector<Process> unwanted;  // started for who no longer waits; killed, to be reaped
  std::vector<std::uint32_t> unwantedSlots;
  std::chrono::milliseconds answerLimit;
};

SpawnerClient::SpawnerClient(FileDescriptor socket, std::chrono::milliseconds answerLimit)
    : conversation_(std::make_unique<Conversation>()), socket_(std::move(socket)) {
  conversation_->answerLimit = answerLimit;
}

SpawnerClient::SpawnerClient(SpawnerClient&&) noexcept = default;

SpawnerClient::~SpawnerClient() {
  socket_.close();
  if (process_.descriptor().isOpen()) (void)process_.reap();
}

void SpawnerClient::dropLate(const spawner::Answer& answer, std::vector<FileDescriptor> descriptors) const {
  if (const auto* made = std::get_if<spawner::SlotMade>(&answer)) conversation_->unwantedSlots.push_back(made->slot);
  const auto* spawned = std::get_if<spawner::Spawned>(&answer);
  if (spawned == nullptr || descriptors.size() != 1) return;
  Process process(spawned->pid, std::move(descriptors.front()));
  (void)process.signal(SIGKILL);
  conversation_->unwanted.push_back(std::move(process));
}

Result<SpawnerClient::Answered> SpawnerClient::awaitAnswer(std::uint32_t number) const {
  const auto deadline = std::chrono::steady_clock::now() + conversation_->answerLimit;
  for (;;) {
    Result<Message> message = receiveMessage(socket_);
    if (!message.has_value()) {
      if (message.error().remedy() == Remedy::giveUp) return lost(message.error().text());
      return Error(Remedy::retry, "the spawner did not answer in time");
    }
    if (message->bytes.empty()) return lost("it has ended");
    Answered answered{.answer = TRY(spawner::decodeAnswer(message->bytes)),
                      .descriptors = std::move(message->descriptors)};
    if (spawner::numberOf(message->bytes) == number) return answered;
    dropLate(answered.answer, std::move(answered.descriptors));
    if (std::chrono::steady_clock::now() >= deadline) return Error(Remedy::retry, "the spawner answers too late");
  }
}

Result<SpawnerClient::Answered> SpawnerClient::exchange(const spawner::Request& request,
                                                        const std::vector<int>& descriptors) const {
  const std::uint32_t number = ++conversation_->number;
  const Status sent = sendMessage(socket_, spawner::encode(number, request), descriptors);
  if (!sent.has_value()) {
    return sent.error().remedy() == Remedy::giveUp ? lost(sent.error().text()) : sent.error();
  }
  Answered answered = TRY(awaitAnswer(number));
  if (auto* refused = std::get_if<Error>(&answered.answer)) return std::move(*refused);
  return answered;
}

Result<SpawnerClient::Answered> SpawnerClient::ask(const spawner::Request& request,
                                                   const std::vector<int>& descriptors) const {
  const std::lock_guard lock(conversation_->mutex);
  Result<Answered> answered = exchange(request, descriptors);
  // What nobody waits for is reaped once it has ended, one with each request.
  std::vector<Process>& unwanted = conversation_->unwanted;
  if (answered.has_value() && !unwanted.empty() && unwanted.back().waitForEnd(std::chrono::steady_clock::now())) {
    const spawner::ReapMessage reap{.pid = unwanted.back().pid()};
    unwanted.pop_back();
    (void)exchange(reap, {});
  }
  std::vector<std::uint32_t>& slots = conversation_->unwantedSlots;
  if (answered.has_value() && !slots.empty()) {
    const spawner::CloseSlotMessage close{.slot = slots.back()};
    slots.pop_back();
    (void)exchange(close, {});
  }
  return answered;
}

Result<Process> SpawnerClient::spawn(const SpawnRequest& request) const {
  const FileDescriptor executable = TRY(openFile(request.executable, OpenMode::read));
  std::vector<int> descriptors{executable.get()};
  for (const GivenDescriptor& given : request.descriptors) descriptors.push_back(given.ours);
  Answered answered = TRY(ask(messageOf(request), descriptors));
  const auto* spawned = std::get_if<spawner::Spawned>(&answered.answer);
  if (spawned == nullptr || answered.descriptors.size() != 1) return lost("it answered something else");
  return Process(spawned->pid, std::move(answered.descriptors.front()));
}

Result<SpawnerClient::MadeSlot> SpawnerClient::makeSlot() const {
  Answered answered = TRY(ask(spawner::MakeSlotMessage{}, {}));
  const auto* made = std::get_if<spawner::SlotMade>(&answered.answer);
  if (made == nullptr || answered.descriptors.size() != 1) return lost("it answered something else");
  return MadeSlot{.number = made->slot, .tap = std::move(answered.descriptors.front())};
}

Result<FileDescriptor> SpawnerClient::openSlotSocket(std::uint32_t slot, network::SlotSocket kind) const {
  Answered answered = TRY(ask(spawner::OpenSocketMessage{.slot = slot, .kind = kind}, {}));
  if (!std::holds_alternative<spawner::SocketOpened>(answered.answer) || answered.descriptors.size() != 1) {
    return lost("it answered something else");
  }
  return std::move(answered.descriptors.front());
}

Status SpawnerClient::closeSlot(std::uint32_t slot) const {
  const Answered answered = TRY(ask(spawner::CloseSlotMessage{.slot = slot}, {}));
  if (!std::holds_alternative<spawner::SlotClosed>(answered.answer)) return lost("it answered something else");
  return {};
}

Result<spawner::Ended> SpawnerClient::reap(const Process& process,
                                           std::chrono::steady_clock::time_point deadline) const {
  if (!process.waitForEnd(deadline)) {
    return Error(Remedy::retry, "process " + std::to_string(process.pid()) + " has not ended");
  }
  const Answered answered = TRY(ask(spawner::ReapMessage{.pid = process.pid()}, {}));
  const auto* ended = std::get_if<spawner::Ended>(&answered.answer);
  if (ended == nullptr) return lost("it answered something else");
  return *ended;
}

Result<MemoryShortage> SpawnerClient::memoryShortage(const Process& process) const {
  const Answered answered = TRY(ask(spawner::ShortageMessage{.pid = process.pid()}, {}));
  const auto* told = std::get_if<spawner::ShortageIs>(&answered.answer);
  if (told == nullptr) return lost("it answered something else");
  return told->shortage;
}

Status SpawnerClient::limit(const Process& process, const CgroupLimits& limits) const {
  const Answered answered = TRY(ask(spawner::LimitMessage{.pid = process.pid(), .limits = limits}, {}));
  if (!std::holds_alternative<spawner::Limited>(answered.answer)) return lost("it answered something else");
  return {};
}

Result<spawner::Groups> SpawnerClient::groups() const {
  Answered answered = TRY(ask(spawner::GroupsMessage{}, {}));
  auto* groups = std::get_if<spawner::Groups>(&answered.answer);
  if (groups == nullptr) return lost("it answered something else");
  return std::move(*groups);
}

}  // namespace qm
