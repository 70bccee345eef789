#include "vmm/spawner/spawner_client.h"

#include <utility>
#include <variant>

#include "vmm/os/message_socket.h"
#include "vmm/os/stream_socket.h"
#include "vmm/spawner/spawner_socket.h"

namespace qm {

namespace {

// The spawner's own limit for one jail and some more; requests of other threads are served before ours is sent.
constexpr std::chrono::seconds kAnswerLimit{8};

std::vector<std::string> spawnerArguments(const JailPolicy& policy) {
  return {"--isolation", policy.isolation == Isolation::bare ? "bare" : "jailed",
          "--uid",       std::to_string(policy.uid),
          "--gid",       std::to_string(policy.gid)};
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

Result<SpawnerClient> SpawnerClient::over(FileDescriptor socket) {
  TRY(setReceiveTimeout(socket, kAnswerLimit));
  return SpawnerClient(std::move(socket));
}

SpawnerClient::SpawnerClient(FileDescriptor socket)
    : oneAtATime_(std::make_unique<std::mutex>()), socket_(std::move(socket)) {}

SpawnerClient::~SpawnerClient() {
  socket_.close();
  if (process_.descriptor().isOpen()) (void)process_.reap();
}

Result<SpawnerClient::Answered> SpawnerClient::ask(const spawner::Request& request,
                                                   const std::vector<int>& descriptors) const {
  const std::lock_guard lock(*oneAtATime_);
  const Status sent = sendMessage(socket_, spawner::encode(request), descriptors);
  if (!sent.has_value()) {
    return sent.error().remedy() == Remedy::giveUp ? lost(sent.error().text()) : sent.error();
  }
  Result<Message> message = receiveMessage(socket_);
  if (message.has_value() && message->bytes.empty()) return lost("it has ended");
  if (!message.has_value()) {
    // An answer that comes later would be taken for the next request's.
    stopSending(socket_);
    stopReceiving(socket_);
    return lost(message.error().text());
  }
  Answered answered{.answer = TRY(spawner::decodeAnswer(message->bytes)),
                    .descriptors = std::move(message->descriptors)};
  if (auto* refused = std::get_if<Error>(&answered.answer)) return std::move(*refused);
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

Result<ProcessEnd> SpawnerClient::reap(const Process& process, std::chrono::steady_clock::time_point deadline) const {
  if (!process.waitForEnd(deadline)) {
    return Error(Remedy::retry, "process " + std::to_string(process.pid()) + " has not ended");
  }
  const Answered answered = TRY(ask(spawner::ReapMessage{.pid = process.pid()}, {}));
  const auto* end = std::get_if<ProcessEnd>(&answered.answer);
  if (end == nullptr) return lost("it answered something else");
  return *end;
}

}  // namespace qm
