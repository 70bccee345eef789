#include "vmm/guest/protocol/reply_codec.h"

#include "vmm/guest/protocol/agent.capnp.h"
#include "vmm/guest/protocol/wire.h"

namespace qm::agent {

namespace {

constexpr std::int32_t kMaxExitCode = 255;
constexpr std::int32_t kMaxSignal = 64;  // SIGRTMAX

wire::Remedy wireOf(Remedy remedy) {
  switch (remedy) {
    case Remedy::retry:
      return wire::Remedy::RETRY;
    case Remedy::fixInput:
      return wire::Remedy::FIX_INPUT;
    case Remedy::giveUp:
      break;
  }
  return wire::Remedy::GIVE_UP;
}

// A remedy that this reader does not know is one with which it can do nothing.
Remedy remedyOf(wire::Remedy remedy) {
  switch (remedy) {
    case wire::Remedy::RETRY:
      return Remedy::retry;
    case wire::Remedy::FIX_INPUT:
      return Remedy::fixInput;
    case wire::Remedy::GIVE_UP:
      break;
  }
  return Remedy::giveUp;
}

void store(const Pong& pong, wire::Reply::Builder reply) {
  wire::Pong::Builder to = reply.initPong();
  to.setNonce(pong.nonce);
  to.setGuestNonce(pong.guestNonce);
  to.setHandledUs(pong.handledUs);
}

void store(const Renewed& renewed, wire::Reply::Builder reply) {
  wire::Renewed::Builder to = reply.initRenewed();
  to.setGuestNonce(renewed.guestNonce);
  to.setNonce(renewed.nonce);
  auto hooks = to.initHooks(static_cast<unsigned>(renewed.hooks.size()));
  for (unsigned i = 0; i < hooks.size(); ++i) {
    hooks[i].setExitCode(renewed.hooks[i].exitCode);
    hooks[i].setSignal(renewed.hooks[i].signal);
  }
}

void store(const Ran& ran, wire::Reply::Builder reply) {
  wire::Ran::Builder to = reply.initRan();
  to.setExitCode(ran.exitCode);
  to.setSignal(ran.signal);
  to.setOut(dataOf(ran.out));
  to.setErr(dataOf(ran.err));
  to.setTimedOut(ran.timedOut);
  to.setOutTruncated(ran.outTruncated);
  to.setErrTruncated(ran.errTruncated);
  to.setDurationUs(ran.durationUs);
}

void store(const Stopping&, wire::Reply::Builder to) {
  to.setStopping();
}

void store(const Refusal& refusal, wire::Reply::Builder reply) {
  wire::Refusal::Builder to = reply.initRefusal();
  to.setRemedy(wireOf(refusal.remedy));
  to.setText(textOf(refusal.text.substr(0, kMaxRefusalBytes)));
}

Result<Renewed> load(wire::Renewed::Reader from) {
  Renewed renewed{.guestNonce = from.getGuestNonce(), .hooks = {}, .nonce = from.getNonce()};
  TRY(checkRange("number of hooks", from.getHooks().size(), {.most = kMaxHooks}));
  for (const auto hook : from.getHooks()) {
    HookResult result;
    result.exitCode = TRY(readSmall("exit code", hook.getExitCode(), kMaxExitCode));
    result.signal = TRY(readSmall("signal", hook.getSignal(), kMaxSignal));
    renewed.hooks.push_back(result);
  }
  return renewed;
}

Result<Ran> load(wire::Ran::Reader from) {
  Ran ran;
  ran.exitCode = TRY(readSmall("exit code", from.getExitCode(), kMaxExitCode));
  ran.signal = TRY(readSmall("signal", from.getSignal(), kMaxSignal));
  ran.out = TRY(readData("stdout", from.getOut(), {.most = kMaxOutputBytes}));
  ran.err = TRY(readData("stderr", from.getErr(), {.most = kMaxOutputBytes}));
  ran.timedOut = from.getTimedOut();
  ran.outTruncated = from.getOutTruncated();
  ran.errTruncated = from.getErrTruncated();
  ran.durationUs = from.getDurationUs();
  return ran;
}

Result<Refusal> load(wire::Refusal::Reader from) {
  Refusal refusal{.remedy = remedyOf(from.getRemedy()), .text = {}};
  refusal.text = TRY(readText("refusal", from.getText(), {.most = kMaxRefusalBytes}));
  return refusal;
}

Result<decltype(Reply::body)> loadBody(wire::Reply::Reader from) {
  using Body = decltype(Reply::body);
  switch (from.which()) {
    case wire::Reply::PONG:
      return Body(Pong{.nonce = from.getPong().getNonce(),
                       .guestNonce = from.getPong().getGuestNonce(),
                       .handledUs = from.getPong().getHandledUs()});
    case wire::Reply::RENEWED:
      return Body(TRY(load(from.getRenewed())));
    case wire::Reply::RAN:
      return Body(TRY(load(from.getRan())));
    case wire::Reply::STOPPING:
      return Body(Stopping{});
    case wire::Reply::REFUSAL:
      return Body(TRY(load(from.getRefusal())));
  }
  return Error(Remedy::giveUp, "a reply of an unknown kind");
}

Result<Reply> load(wire::Reply::Reader from) {
  if (from.getProtocol() != kProtocol) {
    return Error(Remedy::giveUp, "the agent speaks protocol " + std::to_string(from.getProtocol()) + ", not " +
                                     std::to_string(kProtocol));
  }
  auto body = loadBody(from);
  // Nothing that the caller passed is at fault.
  if (!body.has_value()) return Error(Remedy::giveUp, "a reply out of range: " + body.error().text());
  return Reply{.id = from.getId(), .body = std::move(*body)};
}

}  // namespace

Result<std::vector<std::byte>> encodeReply(const Reply& reply) {
  capnp::MallocMessageBuilder message(64);  // words of the first segment: a pong takes 10
  auto to = message.initRoot<wire::Reply>();
  to.setProtocol(kProtocol);
  to.setId(reply.id);
  std::visit([&](const auto& body) { store(body, to); }, reply.body);
  return frameOf(message);
}

Result<Reply> decodeReply(std::span<const std::uint64_t> frame) {
  return readFrame<wire::Reply>(frame, [](wire::Reply::Reader root) { return load(root); });
}

}  // namespace qm::agent
