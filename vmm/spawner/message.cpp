#include "vmm/spawner/message.h"

#include <climits>
#include <set>

#include "vmm/os/program.h"
#include "vmm/spawner/wire.h"

namespace qm::spawner {

namespace {

enum class Kind : std::uint32_t {
  spawn = 1,
  reap = 2,
  spawned = 3,
  ended = 4,
  refused = 5,
  limit = 6,
  limited = 7,
  groups = 8,
  groupsAre = 9,
  shortage = 10,
  shortageIs = 11,
  makeSlot = 32,
  openSocket = 33,
  closeSlot = 34,
  slotMade = 35,
  socketOpened = 36,
  slotClosed = 37,
};

constexpr std::uint32_t kDevices = 3;

std::uint32_t wordOf(JailDevice device) {
  switch (device) {
    case JailDevice::kvm:
      return 0;
    case JailDevice::tun:
      return 1;
    case JailDevice::userfaultfd:
      return 2;
  }
  std::unreachable();
}

JailDevice deviceOf(std::uint32_t word) {
  return word == 0 ? JailDevice::kvm : word == 1 ? JailDevice::tun : JailDevice::userfaultfd;
}

std::uint32_t wordOf(MemoryShortage shortage) {
  return shortage == MemoryShortage::none ? 0 : shortage == MemoryShortage::group ? 1 : 2;
}

Result<MemoryShortage> readShortage(Reader& reader) {
  const std::uint32_t word = TRY(reader.wordUpTo(2));
  return word == 0 ? MemoryShortage::none : word == 1 ? MemoryShortage::group : MemoryShortage::outside;
}

Writer begin(std::uint32_t number, Kind kind) {
  Writer writer;
  writer.word(kVersion).word(number).word(static_cast<std::uint32_t>(kind));
  return writer;
}

Result<Kind> beginReading(Reader& reader) {
  const std::uint32_t version = TRY(reader.word());
  if (version != kVersion) {
    return Error(Remedy::fixInput, "the spawner's messages have version " + std::to_string(kVersion) + ", not " +
                                       std::to_string(version) + "; use programs of one build");
  }
  TRY(reader.word());  // its number
  return static_cast<Kind>(TRY(reader.word()));
}

void write(Writer& writer, const CgroupLimits& limits) {
  writer.word(limits.memoryMib).word(limits.processes).word(limits.cpuPercent);
}

Result<CgroupLimits> readLimits(Reader& reader) {
  CgroupLimits limits;
  limits.memoryMib = TRY(reader.wordUpTo(kMostCgroupMib));
  limits.processes = TRY(reader.wordUpTo(kMostCgroupProcesses));
  limits.cpuPercent = TRY(reader.wordUpTo(kMostCgroupPercent));
  return limits;
}

void write(Writer& writer, const JailPlan& plan) {
  writer.text(plan.folder.native()).word(static_cast<std::uint32_t>(plan.readOnly.size()));
  for (const ReadOnlyBind& bind : plan.readOnly) writer.text(bind.host.native()).text(bind.inside.native());
  writer.word(static_cast<std::uint32_t>(plan.devices.size()));
  for (const JailDevice device : plan.devices) writer.word(wordOf(device));
  writer.word(plan.network == JailNetwork::host ? 1 : 0);
  writer.word(plan.newFiles == NewFiles::denied ? 1 : 0);
  write(writer, plan.limits);
}

Result<JailPlan> readPlan(Reader& reader) {
  JailPlan plan;
  plan.folder = TRY(reader.text());
  const std::uint32_t binds = TRY(reader.wordUpTo(kJailBinds));
  for (std::uint32_t i = 0; i < binds; ++i) {
    std::string host = TRY(reader.text());
    std::string inside = TRY(reader.text());
    plan.readOnly.push_back({.host = std::move(host), .inside = std::move(inside)});
  }
  const std::uint32_t devices = TRY(reader.wordUpTo(kDevices));
  for (std::uint32_t i = 0; i < devices; ++i) plan.devices.push_back(deviceOf(TRY(reader.wordUpTo(kDevices - 1))));
  plan.network = TRY(reader.wordUpTo(1)) == 1 ? JailNetwork::host : JailNetwork::none;
  plan.newFiles = TRY(reader.wordUpTo(1)) == 1 ? NewFiles::denied : NewFiles::allowed;
  plan.limits = TRY(readLimits(reader));
  TRY(check(plan));
  return plan;
}

Result<std::vector<std::uint32_t>> readNumbers(Reader& reader) {
  const std::uint32_t count = TRY(reader.wordUpTo(kGiven));
  std::vector<std::uint32_t> numbers;
  std::set<std::uint32_t> seen;
  for (std::uint32_t i = 0; i < count; ++i) {
    numbers.push_back(TRY(reader.wordUpTo(kGivenNumbers - 1)));
    if (!seen.insert(numbers.back()).second) {
      return Error(Remedy::fixInput, "two descriptors are given as number " + std::to_string(numbers.back()));
    }
  }
  return numbers;
}

Result<Request> readSpawn(Reader& reader) {
  SpawnMessage spawn;
  const std::uint32_t arguments = TRY(reader.wordUpTo(kArguments));
  if (arguments == 0) return Error(Remedy::fixInput, "a program is started with at least argv[0]");
  for (std::uint32_t i = 0; i < arguments; ++i) spawn.arguments.push_back(TRY(reader.text()));
  spawn.jail = TRY(readPlan(reader));
  spawn.numbers = TRY(readNumbers(reader));
  return Request(std::move(spawn));
}

Result<pid_t> readPid(Reader& reader) {
  return static_cast<pid_t>(TRY(reader.wordUpTo(INT_MAX)));
}

Result<Request> readOpenSocket(Reader& reader) {
  OpenSocketMessage open{.slot = TRY(reader.word())};
  if (TRY(reader.wordUpTo(1)) == 1) open.kind = network::SlotSocket::fromGuest;
  return Request(open);
}

Error unknownKind() {
  return {Remedy::fixInput, "a message to or from the spawner is of no known kind"};
}

std::vector<std::byte> encodeSpawn(std::uint32_t number, const SpawnMessage& spawn) {
  Writer writer = begin(number, Kind::spawn);
  writer.word(static_cast<std::uint32_t>(spawn.arguments.size()));
  for (const std::string& argument : spawn.arguments) writer.text(argument);
  write(writer, spawn.jail);
  writer.word(static_cast<std::uint32_t>(spawn.numbers.size()));
  for (const std::uint32_t given : spawn.numbers) writer.word(given);
  return writer.take();
}

std::uint32_t wordOf(Remedy remedy) {
  return remedy == Remedy::retry ? 0 : remedy == Remedy::fixInput ? 1 : 2;
}

Remedy remedyOf(std::uint32_t word) {
  return word == 0 ? Remedy::retry : word == 1 ? Remedy::fixInput : Remedy::giveUp;
}

}  // namespace

std::uint32_t numberOf(std::span<const std::byte> bytes) {
  Reader reader(bytes);
  if (reader.word().value_or(0) != kVersion) return 0;
  return reader.word().value_or(0);
}

std::vector<std::byte> encode(std::uint32_t number, const Request& request) {
  if (const auto* spawn = std::get_if<SpawnMessage>(&request)) return encodeSpawn(number, *spawn);
  if (std::holds_alternative<GroupsMessage>(request)) return begin(number, Kind::groups).take();
  if (const auto* limit = std::get_if<LimitMessage>(&request)) {
    Writer writer = begin(number, Kind::limit);
    writer.word(static_cast<std::uint32_t>(limit->pid));
    write(writer, limit->limits);
    return writer.take();
  }
  if (const auto* asked = std::get_if<ShortageMessage>(&request)) {
    return begin(number, Kind::shortage).word(static_cast<std::uint32_t>(asked->pid)).take();
  }
  if (std::holds_alternative<MakeSlotMessage>(request)) return begin(number, Kind::makeSlot).take();
  if (const auto* open = std::get_if<OpenSocketMessage>(&request)) {
    return begin(number, Kind::openSocket)
        .word(open->slot)
        .word(open->kind == network::SlotSocket::fromGuest ? 1 : 0)
        .take();
  }
  if (const auto* close = std::get_if<CloseSlotMessage>(&request)) {
    return begin(number, Kind::closeSlot).word(close->slot).take();
  }
  return begin(number, Kind::reap).word(static_cast<std::uint32_t>(std::get<ReapMessage>(request).pid)).take();
}

Result<Request> decodeRequest(std::span<const std::byte> bytes) {
  Reader reader(bytes);
  const Kind kind = TRY(beginReading(reader));
  Request request;
  if (kind == Kind::spawn) {
    request = TRY(readSpawn(reader));
  } else if (kind == Kind::reap) {
    request = ReapMessage{.pid = TRY(readPid(reader))};
  } else if (kind == Kind::limit) {
    const pid_t pid = TRY(readPid(reader));
    request = LimitMessage{.pid = pid, .limits = TRY(readLimits(reader))};
  } else if (kind == Kind::shortage) {
    request = ShortageMessage{.pid = TRY(readPid(reader))};
  } else if (kind == Kind::groups) {
    request = GroupsMessage{};
  } else if (kind == Kind::makeSlot) {
    request = MakeSlotMessage{};
  } else if (kind == Kind::openSocket) {
    request = TRY(readOpenSocket(reader));
  } else if (kind == Kind::closeSlot) {
    request = CloseSlotMessage{.slot = TRY(reader.word())};
  } else {
    return unknownKind();
  }
  TRY(reader.end());
  return request;
}

std::vector<std::byte> encode(std::uint32_t number, const Answer& answer) {
  if (const auto* spawned = std::get_if<Spawned>(&answer)) {
    return begin(number, Kind::spawned).word(static_cast<std::uint32_t>(spawned->pid)).take();
  }
  if (const auto* ended = std::get_if<Ended>(&answer)) {
    return begin(number, Kind::ended)
        .word(static_cast<std::uint32_t>(ended->how.code))
        .word(static_cast<std::uint32_t>(ended->how.signal))
        .word(wordOf(ended->shortage))
        .take();
  }
  if (const auto* told = std::get_if<ShortageIs>(&answer)) {
    return begin(number, Kind::shortageIs).word(wordOf(told->shortage)).take();
  }
  if (std::holds_alternative<Limited>(answer)) return begin(number, Kind::limited).take();
  if (const auto* groups = std::get_if<Groups>(&answer)) {
    return begin(number, Kind::groupsAre).text(groups->controllers).text(groups->lacks).take();
  }
  if (const auto* made = std::get_if<SlotMade>(&answer)) return begin(number, Kind::slotMade).word(made->slot).take();
  if (std::holds_alternative<SocketOpened>(answer)) return begin(number, Kind::socketOpened).take();
  if (std::holds_alternative<SlotClosed>(answer)) return begin(number, Kind::slotClosed).take();
  const Error& error = std::get<Error>(answer);
  return begin(number, Kind::refused).word(wordOf(error.remedy())).text(error.text()).take();
}

Result<Answer> decodeAnswer(std::span<const std::byte> bytes) {
  Reader reader(bytes);
  const Kind kind = TRY(beginReading(reader));
  if (kind == Kind::spawned) return Answer(Spawned{.pid = TRY(readPid(reader))});
  if (kind == Kind::ended) {
    const auto code = static_cast<int>(TRY(reader.wordUpTo(255)));
    const auto signal = static_cast<int>(TRY(reader.wordUpTo(127)));
    return Answer(Ended{.how = {.code = code, .signal = signal}, .shortage = TRY(readShortage(reader))});
  }
  if (kind == Kind::shortageIs) return Answer(ShortageIs{.shortage = TRY(readShortage(reader))});
  if (kind == Kind::limited) return Answer(Limited{});
  if (kind == Kind::groupsAre) {
    std::string controllers = TRY(reader.text());
    return Answer(Groups{.controllers = std::move(controllers), .lacks = TRY(reader.text())});
  }
  if (kind == Kind::slotMade) return Answer(SlotMade{.slot = TRY(reader.word())});
  if (kind == Kind::socketOpened) return Answer(SocketOpened{});
  if (kind == Kind::slotClosed) return Answer(SlotClosed{});
  if (kind != Kind::refused) return unknownKind();
  const Remedy remedy = remedyOf(TRY(reader.wordUpTo(2)));
  return Answer(Error(remedy, TRY(reader.text())));
}

}  // namespace qm::spawner
