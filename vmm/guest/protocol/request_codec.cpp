#include "vmm/guest/protocol/request_codec.h"

#include <algorithm>

#include "vmm/guest/protocol/agent.capnp.h"
#include "vmm/guest/protocol/wire.h"
#include "vmm/result/check.h"

namespace qm::agent {

namespace {

using TextList = capnp::List<capnp::Text>;

void storeWords(const std::vector<std::string>& words, TextList::Builder to) {
  for (unsigned i = 0; i < to.size(); ++i) to.set(i, textOf(words[i]));
}

void store(const Ping& ping, wire::Request::Builder to) {
  to.initPing().setNonce(ping.nonce);
}

void store(const Renew& renew, wire::Request::Builder request) {
  wire::Renew::Builder to = request.initRenew();
  to.setEntropy(dataOf(renew.entropy));
  to.setWallClockNs(renew.wallClockNs);
  to.setHostname(textOf(renew.hostname));
  to.setMachineId(textOf(renew.machineId));
  if (renew.mac.has_value()) to.setMac(textOf(*renew.mac));
  if (renew.ip.has_value()) to.setIp(textOf(*renew.ip));
  if (renew.gateway.has_value()) to.setGateway(textOf(*renew.gateway));
  to.setCloneId(textOf(renew.cloneId));
  to.setNonce(renew.nonce);
  auto hooks = to.initHooks(static_cast<unsigned>(renew.hooks.size()));
  for (unsigned i = 0; i < hooks.size(); ++i) {
    storeWords(renew.hooks[i], hooks[i].initArgv(static_cast<unsigned>(renew.hooks[i].size())));
  }
}

void store(const Run& run, wire::Request::Builder request) {
  wire::Run::Builder to = request.initRun();
  storeWords(run.argv, to.initArgv(static_cast<unsigned>(run.argv.size())));
  storeWords(run.env, to.initEnv(static_cast<unsigned>(run.env.size())));
  to.setCwd(textOf(run.cwd));
  to.setStdin(dataOf(run.stdin));
  to.setTimeoutMs(run.timeoutMs);
  to.setUser(textOf(run.user));
  to.setOutputLimit(run.outputLimit);
}

void store(const Stop&, wire::Request::Builder to) {
  to.setStop();
}

// It is an answer (agent_values.h).
[[noreturn]] void store(const Refusal&, wire::Request::Builder) {
  CHECK(false);
  std::unreachable();
}

Result<std::vector<std::string>> loadWords(std::string_view what, TextList::Reader from, CountRange range) {
  TRY(checkRange(std::string("number of ").append(what), from.size(), range));
  std::vector<std::string> words;
  for (const auto word : from) words.push_back(TRY(readText(what, word, {.most = kMaxMessageBytes})));
  return words;
}

Result<std::optional<std::string>> loadAddress(std::string_view what, capnp::Text::Reader from) {
  std::string text = TRY(readText(what, from, {.most = kMaxAddressTextBytes}));
  if (text.empty()) return std::optional<std::string>();
  return std::optional(std::move(text));
}

Status checkHostname(const std::string& name) {
  const bool plain = std::ranges::all_of(name, [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
           letter == '-';
  });
  if (!plain) return Error(Remedy::fixInput, "a hostname has letters, digits and dashes only");
  return {};
}

Status checkMachineId(const std::string& id) {
  const bool plain = std::ranges::all_of(
      id, [](char digit) { return (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f'); });
  if (!plain) return Error(Remedy::fixInput, "a machine-id has lower-case hexadecimal digits only");
  return {};
}

Result<Renew> load(wire::Renew::Reader from) {
  Renew renew;
  renew.entropy = TRY(readData("entropy", from.getEntropy(), {.least = kMinEntropyBytes, .most = kMaxEntropyBytes}));
  renew.wallClockNs = from.getWallClockNs();
  if (renew.wallClockNs < 0) return Error(Remedy::fixInput, "a wall clock before 1970");
  renew.hostname = TRY(readText("hostname", from.getHostname(), {.least = 1, .most = kMaxHostnameBytes}));
  TRY(checkHostname(renew.hostname));
  renew.machineId =
      TRY(readText("machine-id", from.getMachineId(), {.least = kMachineIdDigits, .most = kMachineIdDigits}));
  TRY(checkMachineId(renew.machineId));
  renew.mac = TRY(loadAddress("MAC", from.getMac()));
  renew.ip = TRY(loadAddress("IP address", from.getIp()));
  renew.gateway = TRY(loadAddress("gateway", from.getGateway()));
  renew.cloneId = TRY(readText("clone id", from.getCloneId(), {.most = kMaxNameBytes}));
  renew.nonce = from.getNonce();
  TRY(checkRange("number of hooks", from.getHooks().size(), {.most = kMaxHooks}));
  for (const auto hook : from.getHooks()) {
    renew.hooks.push_back(TRY(loadWords("hook argument", hook.getArgv(), {.least = 1, .most = kMaxWords})));
  }
  return renew;
}

Result<Run> load(wire::Run::Reader from) {
  Run run;
  run.argv = TRY(loadWords("argument", from.getArgv(), {.least = 1, .most = kMaxWords}));
  run.env = TRY(loadWords("environment variable", from.getEnv(), {.most = kMaxWords}));
  for (const std::string& variable : run.env) {
    if (variable.find('=', 1) == std::string::npos)
      return Error(Remedy::fixInput, "an environment variable is NAME=VALUE, not '" + variable + "'");
  }
  run.cwd = TRY(readText("cwd", from.getCwd(), {.most = kMaxPathBytes}));
  run.stdin = TRY(readData("stdin", from.getStdin(), {.most = kMaxMessageBytes}));
  run.timeoutMs = from.getTimeoutMs();
  run.user = TRY(readText("user", from.getUser(), {.most = kMaxNameBytes}));
  run.outputLimit = from.getOutputLimit();
  TRY(checkRange("output limit", run.outputLimit, {.most = kMaxOutputBytes}));
  return run;
}

Result<decltype(Request::body)> loadBody(wire::Request::Reader from) {
  using Body = decltype(Request::body);
  if (from.getProtocol() != kProtocol) {
    return Error(Remedy::fixInput, "the agent speaks protocol " + std::to_string(kProtocol) + ", not " +
                                       std::to_string(from.getProtocol()));
  }
  switch (from.which()) {
    case wire::Request::PING:
      return Body(Ping{.nonce = from.getPing().getNonce()});
    case wire::Request::RENEW:
      return Body(TRY(load(from.getRenew())));
    case wire::Request::RUN:
      return Body(TRY(load(from.getRun())));
    case wire::Request::STOP:
      return Body(Stop{});
  }
  return Error(Remedy::fixInput, "a request of a kind that this agent does not know");
}

Result<Request> load(wire::Request::Reader from) {
  Request request{.id = from.getId(), .body = Ping{}};
  auto body = loadBody(from);
  if (body.has_value()) {
    request.body = std::move(*body);
  } else {
    request.body = Refusal{.remedy = body.error().remedy(), .text = body.error().text()};
  }
  return request;
}

}  // namespace

Result<std::vector<std::byte>> encodeRequest(const Request& request) {
  capnp::MallocMessageBuilder message(64);  // words of the first segment: a ping takes 8
  auto to = message.initRoot<wire::Request>();
  to.setProtocol(kProtocol);
  to.setId(request.id);
  std::visit([&](const auto& body) { store(body, to); }, request.body);
  return frameOf(message);
}

Result<Request> decodeRequest(std::span<const std::uint64_t> frame) {
  return readFrame<wire::Request>(frame, [](wire::Request::Reader root) { return load(root); });
}

}  // namespace qm::agent
