#include "api/vmm/script/script_player.h"

#include <span>
#include <utility>
#include <variant>

#include <fmt/format.h>

namespace qm::vmm::script {

std::optional<std::uint64_t> ScriptPlayer::nextMoment() const {
  return next_ < lines_.size() ? std::optional(lines_[next_].atNs) : std::nullopt;
}

Result<std::optional<std::uint64_t>> ScriptPlayer::begin(Origin origin, std::uint64_t guestNs) {
  if (origin == Origin::snapshot) {
    while (next_ < lines_.size() && lines_[next_].atNs <= guestNs) ++next_;
    if (next_ > 0) log_.info("script.passed_over", {{"lines", next_}, {"guest_ns", guestNs}});
    TRY(takeUpAgain());
  }
  return nextMoment();
}

// The vsock hands the agent's connection to the next who asks for its port, and the guest sees nothing of that. All
// others were reset.
Status ScriptPlayer::takeUpAgain() {
  std::map<std::string, Connect> open;
  for (const Line& line : std::span(lines_).first(next_)) {
    if (const auto* connect = std::get_if<Connect>(&line.action)) open[connect->name] = *connect;
    if (const auto* close = std::get_if<Close>(&line.action)) open.erase(close->name);
  }
  for (const auto& [name, connect] : open) {
    if (connect.port == agentPort_) TRY(carryOut(connect).during(fmt::format("taking up connection {} again", name)));
  }
  return {};
}

Result<std::optional<std::uint64_t>> ScriptPlayer::play(std::uint64_t guestNs) {
  while (next_ < lines_.size() && lines_[next_].atNs <= guestNs) {
    const Line& line = lines_[next_++];
    TRY(std::visit([this](const auto& action) { return carryOut(action); }, line.action)
            .during(fmt::format("line {} of the script", line.number)));
  }
  if (next_ == lines_.size()) log_.info("script.over", {{"guest_ns", guestNs}});
  return nextMoment();
}

Status ScriptPlayer::carryOut(const Connect& connect) {
  const std::filesystem::path socket = stage_.vsockSocket();
  if (socket.empty()) return Error(Remedy::fixInput, "the machine has no vsock: give it one, or connect to nothing");
  FileDescriptor file;
  if (!connect.received.empty()) file = TRY(openFile(connect.received, OpenMode::append));
  auto stream = TRY(
      GuestStream::connect(loop_, socket, connect.port,
                           [this, name = connect.name](std::span<const std::byte> bytes) { received(name, bytes); }));
  connections_[connect.name] = {.stream = std::move(stream), .received = std::move(file)};
  return {};
}

Status ScriptPlayer::carryOut(const Send& send) {
  const auto found = connections_.find(send.name);
  if (found == connections_.end()) {
    return Error(Remedy::fixInput,
                 fmt::format("connection {} was open when the snapshot was taken, which reset it", send.name));
  }
  return found->second.stream->send(std::as_bytes(std::span(send.bytes)));
}

Status ScriptPlayer::carryOut(const Close& close) {
  connections_.erase(close.name);
  return {};
}

void ScriptPlayer::received(const std::string& name, std::span<const std::byte> bytes) {
  log_.info("script.received", {{"connection", name}, {"bytes", bytes.size()}});
  const Connection& connection = connections_.at(name);
  if (bytes.empty() || !connection.received.isOpen()) return;
  if (const Status written = writeAll(connection.received, bytes); !written.has_value())
    log_.warning("script.not_kept", {{"connection", name}, {"error", written.error().text()}});
}

}  // namespace qm::vmm::script
