#include "api/vmm/controller/control_port.h"

#include <utility>
#include <variant>

#include "api/vmm/control/codec.h"
#include "api/vmm/request/parse.h"

namespace qm::vmm {

namespace {

// Two messages may name one file; each place is taken once.
Result<FileDescriptor> take(std::vector<FileDescriptor>& files, std::uint8_t place) {
  if (!files[place].isOpen()) return Error(Remedy::fixInput, "A file is named for two purposes.");
  return std::move(files[place]);
}

Result<OpenSnapshot> openSnapshot(const control::Load& load, std::vector<FileDescriptor>& files) {
  OpenSnapshot snapshot{.state = TRY(take(files, load.state)), .memory = TRY(take(files, load.memory))};
  for (const control::Disk& disk : load.disks)
    snapshot.disks.push_back({.id = disk.id, .image = TRY(take(files, disk.file))});
  snapshot.vsockPath = load.vsockPath;
  snapshot.workingSet = load.workingSet;
  return snapshot;
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

Answer ControlPort::answer(const control::Ask& ask, std::vector<FileDescriptor> /*files*/) {
  const Result<Request> request = parseRequest(ask.method, ask.target, ask.body);
  if (!request.has_value()) return fault(request.error().text());
  return controller_.execute(*request);
}

Answer ControlPort::answer(const control::Load& load, std::vector<FileDescriptor> files) {
  Result<OpenSnapshot> snapshot = openSnapshot(load, files);
  if (!snapshot.has_value()) return fault(snapshot.error().text());
  return controller_.load(*std::move(snapshot));
}

Answer ControlPort::answer(const control::Observe& /*observe*/, std::vector<FileDescriptor> /*files*/) {
  return fault("Nothing is observed.");
}

}  // namespace qm::vmm
