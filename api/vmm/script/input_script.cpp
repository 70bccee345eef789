#include "api/vmm/script/input_script.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "vmm/text/number.h"

namespace qm::vmm::script {

namespace {

Error refused(std::string sentence) {
  return Error(Remedy::fixInput, std::move(sentence));
}

// One line's words, taken from its front.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(line) {}

  // Nothing: the line, or what of it is no comment, is at its end.
  Result<std::optional<std::string>> next() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(kSpace), rest_.size()));
    if (rest_.empty() || rest_.front() == '#') return std::optional<std::string>();
    if (rest_.front() == '"') return TRY(quoted());
    const std::size_t end = std::min(rest_.find_first_of(kSpace), rest_.size());
    std::string word(rest_.substr(0, end));
    if (word.contains('"')) return refused("a quote stands inside a word; put the whole word in quotes");
    rest_.remove_prefix(end);
    return std::optional(std::move(word));
  }

 private:
  static constexpr std::string_view kSpace = " \t\r";

  Result<std::string> quoted() {
    std::string word;
    rest_.remove_prefix(1);
    while (!rest_.empty() && rest_.front() != '"') {
      const char byte = take();
      word += byte == '\\' ? TRY(escaped()) : byte;
    }
    if (rest_.empty()) return refused("a quote is not closed");
    rest_.remove_prefix(1);
    if (!rest_.empty() && !kSpace.contains(rest_.front())) return refused("a space is missing behind a closing quote");
    return word;
  }
  // Behind a backslash.
  Result<char> escaped() {
    static constexpr std::string_view kNames = "nrt0\\\"", kBytes("\n\r\t\0\\\"", 6);
    const char name = rest_.empty() ? '"' : take();
    if (name == 'x') {
      const auto byte = numberFrom<std::uint8_t>(rest_.substr(0, 2), 16);
      if (!byte || rest_.size() < 2) return refused("behind \\x two hexadecimal digits are missing");
      rest_.remove_prefix(2);
      return static_cast<char>(*byte);
    }
    const std::size_t which = kNames.find(name);
    if (which == std::string_view::npos)
      return refused(fmt::format("there is no \\{}; there are \\n \\r \\t \\0 \\\\ \\\" and \\xHH", name));
    return kBytes[which];
  }
  char take() {
    const char byte = rest_.front();
    rest_.remove_prefix(1);
    return byte;
  }

  std::string_view rest_;
};

Result<std::vector<std::string>> wordsOf(std::string_view line) {
  std::vector<std::string> all;
  Words words(line);
  while (std::optional<std::string> word = TRY(words.next())) all.push_back(*std::move(word));
  return all;
}

using Arguments = std::span<const std::string>;

Status checkLength(std::string_view bytes, std::size_t most, std::string_view advice) {
  if (!bytes.empty() && bytes.size() <= most) return {};
  return refused(fmt::format("the text has {} bytes, not 1 to {}{}", bytes.size(), most, advice));
}

Result<Action> readType(Arguments words) {
  TRY(checkLength(words[0], kMostTyped, ": type the rest later, when the guest has read"));
  return Type{words[0]};
}

Result<Action> readSave(Arguments words) {
  if (words[0].empty() || words[1].empty() || words[0] == words[1])
    return refused("a snapshot goes to two files: snapshot STATE MEMORY");
  return Save{.state = words[0], .memory = words[1]};
}

Status checkName(const std::string& name) {
  constexpr std::size_t kLongest = 32;
  const auto isFine = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  };
  if (!name.empty() && name.size() <= kLongest && std::ranges::all_of(name, isFine)) return {};
  return refused(fmt::format("a connection's name has 1 to {} letters, digits, '-' and '_'", kLongest));
}

Result<Action> readConnect(const std::string& name, Arguments words) {
  const auto port = numberFrom<std::uint32_t>(words[0]);
  if (!port) return refused(fmt::format("\"{}\" is no port: it is a number below 2^32", words[0]));
  return Connect{.name = name, .port = *port, .received = words.size() > 1 ? words[1] : std::string()};
}

Result<Action> readVsock(Arguments words) {
  const std::string& name = words[0];
  const std::string& verb = words[1];
  const Arguments more = words.subspan(2);
  TRY(checkName(name));
  if (verb == "connect" && (more.size() == 1 || more.size() == 2)) return readConnect(name, more);
  if (verb == "send" && more.size() == 1) {
    TRY(checkLength(more[0], kMostSent, ": send it by several lines"));
    return Send{.name = name, .bytes = more[0]};
  }
  if (verb == "close" && more.empty()) return Close{name};
  return refused("vsock goes \"vsock NAME connect PORT [FILE]\", \"vsock NAME send TEXT\" or \"vsock NAME close\"");
}

struct Kind {
  std::string_view name;
  std::size_t least, most;  // words behind the name
  std::string_view usage;
  Result<Action> (*read)(Arguments);
};

constexpr std::array<Kind, 6> kKinds{{
    {"serial", 1, 1, "serial TEXT", readType},
    {"ctrl-alt-del", 0, 0, "ctrl-alt-del", [](Arguments) -> Result<Action> { return PressCtrlAltDel{}; }},
    {"vsock", 2, 4, "vsock NAME connect PORT [FILE], send TEXT or close", readVsock},
    {"snapshot", 2, 2, "snapshot STATE MEMORY", readSave},
    {"pause", 0, 0, "pause", [](Arguments) -> Result<Action> { return Pause{}; }},
    {"stop", 0, 0, "stop", [](Arguments) -> Result<Action> { return Stop{}; }},
}};

Result<Action> readAction(Arguments words) {
  if (words.empty()) return refused("nothing is to happen at that moment: behind it comes the input's name");
  const auto kind = std::ranges::find(kKinds, words[0], &Kind::name);
  if (kind == kKinds.end()) {
    return refused(fmt::format(
        "there is no input \"{}\"; there are serial, ctrl-alt-del, vsock, snapshot, pause and stop", words[0]));
  }
  const Arguments more = words.subspan(1);
  if (more.size() < kind->least || more.size() > kind->most)
    return refused(fmt::format("it goes \"AT {}\"", kind->usage));
  return kind->read(more);
}

// What a line may be after those before it.
class Order {
 public:
  Status check(const Line& line) {
    if (!isFirst_ && line.atNs < last_.atNs)
      return refused(
          fmt::format("{} is before line {}'s {}: moments do not go back", line.atNs, last_.number, last_.atNs));
    if (!isFirst_ && std::holds_alternative<Stop>(last_.action))
      return refused(fmt::format("nothing happens after line {}'s stop", last_.number));
    if (!isFirst_ && std::holds_alternative<Save>(last_.action) && line.atNs == last_.atNs) {
      return refused(fmt::format(
          "line {}'s snapshot is the last of its moment: whoever is restored from it begins after it", last_.number));
    }
    TRY(std::visit([this](const auto& action) { return checkConnections(action); }, line.action));
    last_ = line;
    isFirst_ = false;
    return {};
  }

 private:
  Status checkConnections(const Connect& connect) {
    if (open_.insert(connect.name).second) return {};
    return refused(fmt::format("connection {} is open; close it, or take another name", connect.name));
  }
  Status checkConnections(const Send& send) const {
    if (open_.contains(send.name)) return {};
    return refused(fmt::format("there is no open connection {}: connect it first", send.name));
  }
  Status checkConnections(const Close& close) {
    if (open_.erase(close.name) == 1) return {};
    return refused(fmt::format("there is no open connection {} to close", close.name));
  }
  template <class Other>
  Status checkConnections(const Other& /*other*/) const {
    return {};
  }

  bool isFirst_ = true;
  Line last_;
  std::set<std::string, std::less<>> open_;
};

Result<std::optional<Line>> readLine(std::string_view text, std::size_t number) {
  const std::vector<std::string> words = TRY(wordsOf(text));
  if (words.empty()) return std::optional<Line>();
  const auto at = numberFrom<std::uint64_t>(words[0]);
  if (!at) {
    return refused(fmt::format(
        "\"{}\" is no moment: a line begins with nanoseconds of guest time, a decimal number below 2^64", words[0]));
  }
  return std::optional(Line{.atNs = *at, .number = number, .action = TRY(readAction(std::span(words).subspan(1)))});
}

}  // namespace

Result<std::vector<Line>> readScript(std::string_view text) {
  std::vector<Line> lines;
  Order order;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const auto place = [number] { return fmt::format("line {}", number); };
    std::optional<Line> line = TRY(readLine(text.substr(0, end), number).during(place()));
    if (line) {
      TRY(order.check(*line).during(place()));
      lines.push_back(*std::move(line));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace qm::vmm::script
