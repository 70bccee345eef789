#include "api/vmm/control/codec.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include <capnp/message.h>
#include <fmt/format.h>
#include <kj/exception.h>

#include "api/vmm/control/control.capnp.h"

namespace qm::vmm::control {

namespace {

constexpr std::size_t kMaxBody = 51'200;
constexpr std::size_t kMaxPath = 4096;

Error refused(std::string_view what) {
  return {Remedy::fixInput, fmt::format("a message of the control channel {}", what)};
}

capnp::Text::Reader textOf(const std::string& text) {
  return {text.c_str(), text.size()};
}

Result<std::string> readText(capnp::Text::Reader from, std::size_t least, std::size_t most, std::string_view what) {
  const std::string_view text(from.begin(), from.size());
  if (text.size() < least || text.size() > most || text.contains('\0'))
    return refused(fmt::format("has {} of {} bytes or with a NUL in it", what, text.size()));
  return std::string(text);
}

template <class Root, class Store>
std::vector<std::byte> messageOf(const Store& store) {
  capnp::MallocMessageBuilder builder(256);  // words of the first segment: most messages fit
  auto root = builder.initRoot<Root>();
  root.setVersion(kVersion);
  store(root);
  const kj::Array<capnp::word> words = capnp::canonicalize(root.asReader());
  const auto octets = std::as_bytes(std::span(words.asBytes().begin(), words.asBytes().size()));
  return {octets.begin(), octets.end()};
}

template <class Root, class Read>
auto readMessage(std::span<const std::byte> bytes, const Read& read)
    -> decltype(read(std::declval<typename Root::Reader>())) {
  if (bytes.empty() || bytes.size() > kMaxBytes || bytes.size() % sizeof(capnp::word) != 0)
    return refused(fmt::format("has {} bytes", bytes.size()));
  // A copy: Cap'n Proto wants its words aligned.
  auto message = kj::heapArray<capnp::word>(bytes.size() / sizeof(capnp::word));
  std::memcpy(message.begin(), bytes.data(), bytes.size());
  try {
    const kj::ArrayPtr<const capnp::word> segments[] = {message};
    capnp::SegmentArrayMessageReader reader(segments,
                                            {.traversalLimitInWords = 4 * message.size() + 1024, .nestingLimit = 8});
    if (!reader.isCanonical()) return refused("is not in canonical form");
    const auto root = reader.getRoot<Root>();
    if (root.getVersion() != kVersion)
      return refused(fmt::format("has version {}, not {}; use programs of one build", root.getVersion(), kVersion));
    return read(root);
  } catch (const kj::Exception& exception) {
    return refused(fmt::format("is malformed ({})", exception.getDescription().cStr()));
  }
}

void store(const Ask& ask, wire::Request::Builder request) {
  auto to = request.initAsk();
  to.setMethod(textOf(ask.method));
  to.setTarget(textOf(ask.target));
  to.setBody(textOf(ask.body));
}

void storeRuns(const std::vector<PageRun>& runs, capnp::List<wire::Run>::Builder to) {
  for (unsigned i = 0; i < to.size(); ++i) {
    to[i].setFirst(runs[i].first);
    to[i].setCount(runs[i].count);
  }
}

template <class Named>
void storeNamed(const std::vector<Named>& files, capnp::List<wire::Disk>::Builder to) {
  for (unsigned i = 0; i < to.size(); ++i) {
    to[i].setId(textOf(files[i].id));
    to[i].setFile(files[i].file);
  }
}

void storeLoad(const Load& load, wire::Load::Builder to) {
  to.setState(load.state);
  to.setMemory(load.memory);
  storeNamed(load.disks, to.initDisks(static_cast<unsigned>(load.disks.size())));
  to.setVsock(textOf(load.vsockPath));
  to.setObserving(load.observing == Observing::yes);
  const auto& [written, read] = load.workingSet;
  storeRuns(written, to.initWritten(static_cast<unsigned>(written.size())));
  storeRuns(read, to.initRead(static_cast<unsigned>(read.size())));
  storeRuns(load.memoryHoles, to.initHoles(static_cast<unsigned>(load.memoryHoles.size())));
  to.setHasCode(load.code.has_value());
  to.setCode(load.code.value_or(0));
  storeNamed(load.taps, to.initTaps(static_cast<unsigned>(load.taps.size())));
}

void store(const Load& load, wire::Request::Builder request) {
  storeLoad(load, request.initLoad());
}

void store(const Reset& reset, wire::Request::Builder request) {
  storeLoad(reset.load, request.initReset());
}

void store(const Observe& /*observe*/, wire::Request::Builder request) {
  request.setObserve();
}

void store(const Prepare& prepare, wire::Request::Builder request) {
  const auto octets = reinterpret_cast<const kj::byte*>(prepare.memorySha256.data());
  request.initPrepare().setMemorySha256({octets, prepare.memorySha256.size()});
}

Result<Ask> readAsk(wire::Ask::Reader from) {
  Ask ask;
  ask.method = TRY(readText(from.getMethod(), 1, 16, "a method"));
  ask.target = TRY(readText(from.getTarget(), 1, kMaxPath, "a target"));
  ask.body = TRY(readText(from.getBody(), 0, kMaxBody, "a body"));
  return ask;
}

Result<std::uint8_t> readFile(std::uint8_t place, std::size_t descriptors) {
  if (place >= descriptors) return refused(fmt::format("names file {} and brings {}", place, descriptors));
  return place;
}

Result<std::vector<PageRun>> readRuns(capnp::List<wire::Run>::Reader from) {
  if (from.size() > kMaxPageRuns) return refused(fmt::format("has {} runs of pages", from.size()));
  std::vector<PageRun> runs;
  runs.reserve(from.size());
  std::uint64_t free = 0;  // the first page that the next run may have
  for (const auto run : from) {
    const PageRun one{.first = run.getFirst(), .count = run.getCount()};
    if (one.count == 0 || one.first < free) return refused("has runs of pages that are empty or overlap");
    free = std::uint64_t{one.first} + one.count + 1;
    runs.push_back(one);
  }
  return runs;
}

template <class Named>
Result<std::vector<Named>> readNamed(capnp::List<wire::Disk>::Reader from, std::size_t most, std::size_t descriptors,
                                     std::string_view what) {
  if (from.size() > most) return refused(fmt::format("has {} {}s", from.size(), what));
  std::vector<Named> files;
  for (const auto file : from) {
    std::string id = TRY(readText(file.getId(), 1, 64, fmt::format("a {}'s id", what)));
    files.push_back({.id = std::move(id), .file = TRY(readFile(file.getFile(), descriptors))});
  }
  return files;
}

Result<Load> readLoad(wire::Load::Reader from, std::size_t descriptors) {
  Load load;
  load.state = TRY(readFile(from.getState(), descriptors));
  load.memory = TRY(readFile(from.getMemory(), descriptors));
  load.disks = TRY(readNamed<Disk>(from.getDisks(), kMaxDisks, descriptors, "disk"));
  load.taps = TRY(readNamed<Tap>(from.getTaps(), kMaxTaps, descriptors, "tap"));
  load.vsockPath = TRY(readText(from.getVsock(), 0, kMaxPath, "a path"));
  load.observing = from.getObserving() ? Observing::yes : Observing::no;
  load.workingSet.written = TRY(readRuns(from.getWritten()));
  load.workingSet.read = TRY(readRuns(from.getRead()));
  load.memoryHoles = TRY(readRuns(from.getHoles()));
  if (from.getHasCode()) load.code = TRY(readFile(from.getCode(), descriptors));
  return load;
}

Result<Prepare> readPrepare(wire::Prepare::Reader from, std::size_t descriptors) {
  if (descriptors < kLeastPrepareFiles || descriptors > kMostPrepareFiles)
    return refused(fmt::format("to prepare brings {} files", descriptors));
  Prepare prepare;
  const auto octets = std::as_bytes(std::span(from.getMemorySha256().begin(), from.getMemorySha256().size()));
  if (octets.size() != prepare.memorySha256.size()) return refused("has no SHA-256");
  std::ranges::copy(octets, prepare.memorySha256.begin());
  return prepare;
}

Result<Request> readRequest(wire::Request::Reader from, std::size_t descriptors) {
  switch (from.which()) {
    case wire::Request::ASK:
      return Request{.id = from.getId(), .body = TRY(readAsk(from.getAsk()))};
    case wire::Request::LOAD:
      return Request{.id = from.getId(), .body = TRY(readLoad(from.getLoad(), descriptors))};
    case wire::Request::OBSERVE:
      if (descriptors != kObserveFiles) return refused(fmt::format("to observe brings {} files", descriptors));
      return Request{.id = from.getId(), .body = Observe{}};
    case wire::Request::PREPARE:
      return Request{.id = from.getId(), .body = TRY(readPrepare(from.getPrepare(), descriptors))};
    case wire::Request::RESET:
      return Request{.id = from.getId(), .body = Reset{.load = TRY(readLoad(from.getReset(), descriptors))}};
  }
  return refused("is of no known kind");
}

Result<Reply> readReply(wire::Answer::Reader from) {
  constexpr std::uint16_t kLeastStatus = 200;
  constexpr std::uint16_t kMostStatus = 599;
  Reply reply{.id = from.getId(), .answer = {.status = from.getStatus()}};
  if (reply.answer.status < kLeastStatus || reply.answer.status > kMostStatus)
    return refused(fmt::format("has status {}", reply.answer.status));
  reply.answer.body = TRY(readText(from.getBody(), 0, kMaxBody, "a body"));
  return reply;
}

}  // namespace

std::vector<std::byte> encode(const Request& request) {
  return messageOf<wire::Request>([&](wire::Request::Builder to) {
    to.setId(request.id);
    std::visit([&](const auto& body) { store(body, to); }, request.body);
  });
}

Result<Request> decodeRequest(std::span<const std::byte> bytes, std::size_t descriptors) {
  return readMessage<wire::Request>(bytes, [&](wire::Request::Reader root) { return readRequest(root, descriptors); });
}

std::vector<std::byte> encode(const Reply& reply) {
  return messageOf<wire::Answer>([&](wire::Answer::Builder to) {
    to.setId(reply.id);
    to.setStatus(reply.answer.status);
    to.setBody(textOf(reply.answer.body));
  });
}

Result<Reply> decodeReply(std::span<const std::byte> bytes) {
  return readMessage<wire::Answer>(bytes, [](wire::Answer::Reader root) { return readReply(root); });
}

}  // namespace qm::vmm::control
