#include "api/vmm/controller/control_port.h"

#include <utility>
#include <variant>

#include "api/vmm/control/codec.h"
#include "api/vmm/request/parse.h"
#include "vmm/hypervisor/soft/prepared_code.h"
#include "vmm/memory/guest_memory.h"
#include "vmm/os/file_contents.h"

namespace qm::vmm {

namespace {

// A place that is named twice is there once.
Result<FileDescriptor> take(std::vector<FileDescriptor>& files, std::uint8_t place) {
  if (!files[place].isOpen()) return Error(Remedy::fixInput, "A file is named for two purposes.");
  return std::move(files[place]);
}

Result<OpenSnapshot> openSnapshot(const control::Load& load, std::vector<FileDescriptor>& files) {
  OpenSnapshot snapshot{.state = TRY(take(files, load.state)), .memory = TRY(take(files, load.memory))};
  snapshot.memoryHoles = load.memoryHoles;
  for (const control::Disk& disk : load.disks)
    snapshot.means.disks.push_back({.id = disk.id, .image = TRY(take(files, disk.file))});
  for (const control::Tap& tap : load.taps)
    snapshot.means.taps.push_back({.id = tap.id, .tap = TRY(take(files, tap.file))});
  snapshot.vsockPath = load.vsockPath;
  snapshot.workingSet = load.workingSet;
  snapshot.means.observing = load.observing;
  if (load.code) snapshot.means.preparedCode = TRY(take(files, *load.code));
  return snapshot;
}

Status prepareCode(const control::Prepare& prepare, std::span<const FileDescriptor> files) {
  const std::uint64_t bytes = TRY(fileBytes(files[0]));
  if (bytes == 0 || bytes % kGuestPageBytes != 0) return Error(Remedy::fixInput, "The memory is not whole pages.");
  const GuestMemory memory = TRY(GuestMemory::ofFile(files[0], bytes, Sharing::privateCopy));
  std::vector<std::vector<std::byte>> hints;
  for (const FileDescriptor& file : files.subspan(control::kLeastPrepareFiles - 1))
    hints.push_back(TRY(contentsOf(file, control::kMaxHintBytes)));
  const std::vector<std::byte> prepared = TRY(prepareSoftCode(memory, prepare.memorySha256, hints));
  return writeAt(files[1], 0, prepared);
}

}  // namespace

Result<std::unique_ptr<ControlPort>> ControlPort::open(FileDescriptor socket, EventLoop& loop, Controller& controller,
                                                       std::function<void()> onAbandoned) {
  std::unique_ptr<ControlPort> port(new ControlPort(std::move(socket), loop, controller, std::move(onAbandoned)));
  TRY(loop.watch(port->socket_, Ready::readable, [raw = port.get()](Ready) { raw->serve(); })
          .during("watching the control channel"));
  return port;
}

void ControlPort::leave() {
  loop_.unwatch(socket_);
  socket_.close();
  if (!controller_.hasMachine()) onAbandoned_();
}

void ControlPort::serve() {
  Result<Message> message = receiveMessage(socket_);
  if (!message.has_value() && message.error().remedy() != Remedy::giveUp) return;  // too long, and dropped
  if (!message.has_value() || message->bytes.empty()) return leave();
  const Result<control::Request> request = control::decodeRequest(message->bytes, message->descriptors.size());
  control::Reply reply;
  if (request.has_value()) {
    reply.id = request->id;
    reply.answer =
        std::visit([&](const auto& body) { return answer(body, std::move(message->descriptors)); }, request->body);
  } else {
    reply.answer = fault(request.error().text());
  }
  if (!sendMessage(socket_, control::encode(reply), {}).has_value()) leave();
}

Answer ControlPort::answer(const control::Ask& ask, std::vector<FileDescriptor> files) {
  const Result<Request> request = parseRequest(ask.method, ask.target, ask.body);
  if (!request.has_value()) return fault(request.error().text());
  if (const auto* net = std::get_if<NetConfig>(&*request); net != nullptr && files.size() == 1)
    return controller_.attach(*net, std::move(files.front()));
  return controller_.execute(*request);
}

Answer ControlPort::answer(const control::Load& load, std::vector<FileDescriptor> files) {
  Result<OpenSnapshot> snapshot = openSnapshot(load, files);
  if (!snapshot.has_value()) return fault(snapshot.error().text());
  return controller_.load(*std::move(snapshot));
}

Answer ControlPort::answer(const control::Reset& reset, std::vector<FileDescriptor> files) {
  Result<OpenSnapshot> snapshot = openSnapshot(reset.load, files);
  if (!snapshot.has_value()) return fault(snapshot.error().text());
  return controller_.reset(*std::move(snapshot));
}

Answer ControlPort::answer(const control::Observe& /*observe*/, std::vector<FileDescriptor> files) {
  const Status done = [&]() -> Status {
    const Machine::Observation observation = TRY(controller_.observe());
    TRY(writeAt(files[0], 0, std::as_bytes(std::span(observation.written))));
    return writeAt(files[1], 0, observation.codeHints);
  }();
  return done.has_value() ? Answer{} : fault(done.error().text());
}

Answer ControlPort::answer(const control::Prepare& prepare, std::vector<FileDescriptor> files) {
  if (controller_.hasMachine()) return fault("A VMM that has a guest prepares nothing for others.");
  const Status done = prepareCode(prepare, files);
  return done.has_value() ? Answer{} : fault(done.error().text());
}

}  // namespace qm::vmm
