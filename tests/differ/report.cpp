#include "tests/differ/report.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace qm::differ {

namespace {

// One line: a name and what it was at the start and on either side.
struct Row {
  std::string name, before, a, b;
  bool isMemory = false;
};

constexpr std::array<std::string_view, kGprs> kGprNames{"rax", "rcx", "rdx", "rbx", "rbp", "rsi", "rdi",    "r8", "r9",
                                                        "r10", "r11", "r12", "r13", "r14", "r15", "rflags", "rsp"};

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (std::size_t i = bytes.size(); i-- > 0;) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

std::string flagsText(std::uint64_t flags) {
  constexpr std::array<std::pair<unsigned, char>, 7> kLetters{
      {{11, 'O'}, {10, 'D'}, {7, 'S'}, {6, 'Z'}, {4, 'A'}, {2, 'P'}, {0, 'C'}}};
  std::string letters;
  for (const auto& [bit, letter] : kLetters) letters += (flags >> bit & 1U) != 0 ? letter : '-';
  return fmt::format("{:06x} {}", flags, letters);
}

std::string exceptionText(const StoredState& state) {
  if (state.vector == kNoVector) return "none";
  return fmt::format("vector {} error {:x} rip {:x} cr2 {:x}", state.vector, state.errorCode, state.rip, state.cr2);
}

void addFx(std::vector<Row>& rows, Family family, const FxArea& before, const FxArea& a, const FxArea& b) {
  const auto add = [&](std::string name, auto&& text) {
    rows.push_back({std::move(name), text(before), text(a), text(b)});
  };
  add("mxcsr", [](const FxArea& fx) { return fmt::format("{:04x}", fx.mxcsr); });
  add("x87", [](const FxArea& fx) { return fmt::format("cw {:04x} sw {:04x} tw {:02x}", fx.fcw, fx.fsw, fx.ftw); });
  add("x87 last", [](const FxArea& fx) { return fmt::format("op {:03x} ip {:x} dp {:x}", fx.fop, fx.fip, fx.fdp); });
  add("mxcsr mask", [](const FxArea& fx) { return fmt::format("{:08x}", fx.mxcsrMask); });
  // Of the many others, those that changed and those that the instruction may have looked at.
  const std::size_t always = rows.size();
  for (std::size_t i = 0; i < 8; ++i)
    add(fmt::format("st{}", i), [i](const FxArea& fx) { return hex(std::span(fx.st[i]).first<10>()); });
  for (std::size_t i = 0; i < 16; ++i) add(fmt::format("xmm{}", i), [i](const FxArea& fx) { return hex(fx.xmm[i]); });
  const bool isInteger = family < Family::sse_move || (family > Family::fxsave && family < Family::avx_move);
  const auto isQuiet = [&](const Row& row) { return isInteger && row.a == row.before && row.b == row.before; };
  rows.erase(std::remove_if(rows.begin() + static_cast<std::ptrdiff_t>(always), rows.end(), isQuiet), rows.end());
}

void addUpper(std::vector<Row>& rows, const Case& subject, const StoredState& a, const StoredState& b) {
  for (std::size_t i = 0; i < subject.state.upper.size(); ++i) {
    Row row{fmt::format("upper{}", i), hex(subject.state.upper[i]), hex(a.upper[i]), hex(b.upper[i])};
    const bool isQuiet = row.a == row.before && row.b == row.before && !isOfAvx(subject.seed.family);
    if (!isQuiet) rows.push_back(std::move(row));
  }
}

void addMemory(std::vector<Row>& rows, std::uint64_t address, std::span<const std::uint8_t> before,
               std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  constexpr std::size_t kLine = 16;
  for (std::size_t at = 0; at < before.size(); at += kLine) {
    const auto line = [&](std::span<const std::uint8_t> from) { return hex(from.subspan(at, kLine)); };
    Row row{fmt::format("{:x}", address + at), line(before), line(a), line(b), true};
    if (row.a != row.before || row.b != row.before) rows.push_back(std::move(row));
  }
}

std::vector<Row> rowsOf(const Case& subject, const Outcome& a, const Outcome& b) {
  std::vector<Row> rows;
  rows.push_back({"exception", "", exceptionText(a.state), exceptionText(b.state)});
  for (std::size_t i = 0; i < kGprs; ++i) {
    const auto text = [i](const Gprs& gprs) {
      return i == at(Gpr::rflags) ? flagsText(gprs[i]) : fmt::format("{:016x}", gprs[i]);
    };
    rows.push_back({std::string(kGprNames[i]), text(subject.state.gprs), text(a.state.gprs), text(b.state.gprs)});
  }
  const auto base = [](std::uint64_t value) { return fmt::format("{:016x}", value); };
  rows.push_back({"fs base", base(subject.state.fsBase), base(a.state.fsBase), base(b.state.fsBase)});
  rows.push_back({"gs base", base(subject.state.gsBase), base(a.state.gsBase), base(b.state.gsBase)});
  addFx(rows, subject.seed.family, subject.state.fx, a.state.fx, b.state.fx);
  addUpper(rows, subject, a.state, b.state);
  addMemory(rows, subject.slotStart() + kDataAt, subject.data, a.data, b.data);
  addMemory(rows, subject.slotStart() + kStackAt, subject.stack, a.stack, b.stack);
  return rows;
}

std::string tableOf(const std::vector<Row>& rows, std::string_view aName, std::string_view bName) {
  std::array<std::size_t, 3> widths{6, aName.size(), bName.size()};
  for (const Row& row : rows) {
    widths[0] = std::max(widths[0], row.before.size());
    widths[1] = std::max(widths[1], row.a.size());
    widths[2] = std::max(widths[2], row.b.size());
  }
  std::string text = fmt::format("    {:<10}  {:<{}}  {:<{}}  {}\n", "", "before", widths[0], aName, widths[1], bName);
  for (const Row& row : rows)
    text += fmt::format("  {} {:<10}  {:<{}}  {:<{}}  {}\n", row.a == row.b ? ' ' : '*', row.name, row.before,
                        widths[0], row.a, widths[1], row.b);
  return text;
}

}  // namespace

std::vector<Line> linesOf(const Case& subject, const Codec& codec) {
  const std::uint64_t start = subject.state.entry;
  if (subject.program.empty()) return {{start, subject.instruction.code(), subject.instruction}};
  std::vector<Line> lines;
  for (std::span<const std::uint8_t> rest(subject.program); !rest.empty();) {
    std::array<std::uint8_t, ZYDIS_MAX_INSTRUCTION_LENGTH> bytes{};
    std::ranges::copy(rest.first(std::min(rest.size(), bytes.size())), bytes.begin());
    const std::optional<Instruction> instruction = codec.decode(bytes);
    const bool isWhole = instruction && instruction->info.length <= rest.size();
    const std::size_t length = isWhole ? instruction->info.length : rest.size();
    lines.push_back({start + (subject.program.size() - rest.size()), rest.first(length), instruction});
    rest = rest.subspan(length);
  }
  return lines;
}

bool isSame(const Ending& a, const Ending& b) {
  const auto* left = std::get_if<Outcome>(&a);
  const auto* right = std::get_if<Outcome>(&b);
  if (left == nullptr || right == nullptr) return false;
  static_assert(std::has_unique_object_representations_v<StoredState>);
  return std::memcmp(&left->state, &right->state, sizeof left->state) == 0 && left->data == right->data &&
         left->stack == right->stack;
}

std::string differingRows(const Case& subject, const Ending& a, const Ending& b) {
  const auto* left = std::get_if<Outcome>(&a);
  const auto* right = std::get_if<Outcome>(&b);
  if (left == nullptr || right == nullptr) return "broken";
  const bool isUndefined = right->state.vector == 6 && left->state.vector != 6;
  if (isUndefined) return "#UD";
  std::set<std::string> names;
  for (const Row& row : rowsOf(subject, *left, *right))
    if (row.a != row.b) names.insert(row.isMemory ? "memory" : row.name);
  return fmt::format("{}", fmt::join(names, " "));
}

std::string describe(const Case& subject, const Codec& codec, std::string_view aName, const Ending& a,
                     std::string_view bName, const Ending& b) {
  std::string text = fmt::format("{}: {} against {}\n", textOf(subject.seed), aName, bName);
  for (const Line& line : linesOf(subject, codec)) {
    text += fmt::format("  {:x}  ", line.address);
    for (const std::uint8_t byte : line.bytes) text += fmt::format("{:02x} ", byte);
    text += fmt::format("  {}\n", line.instruction ? codec.text(*line.instruction, line.address) : "(no instruction)");
  }

  const auto* left = std::get_if<Outcome>(&a);
  const auto* right = std::get_if<Outcome>(&b);
  if (left != nullptr && right != nullptr) return text + tableOf(rowsOf(subject, *left, *right), aName, bName);
  for (const auto& [name, ending] : {std::pair(aName, &a), std::pair(bName, &b)})
    if (const auto* broken = std::get_if<Broken>(ending)) text += fmt::format("* {}: {}\n", name, broken->reason);
  // What there is of the other side.
  const Outcome nothing{};
  const Outcome& there = left != nullptr ? *left : right != nullptr ? *right : nothing;
  return text + tableOf(rowsOf(subject, there, there), left != nullptr ? aName : bName, "");
}

}  // namespace qm::differ
