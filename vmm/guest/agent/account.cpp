#include "vmm/guest/agent/account.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>

namespace qm::agent {

namespace {

// Takes what stands before `separator`, or all, from the front of `text`.
std::string_view takeUntil(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

template <std::size_t count>
std::array<std::string_view, count> fieldsOf(std::string_view line) {
  std::array<std::string_view, count> fields;
  for (std::string_view& field : fields) field = takeUntil(line, ':');
  return fields;
}

std::optional<std::uint32_t> numberOf(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// name:password:uid:gid:comment:home:shell
std::optional<Account> accountOf(std::string_view line) {
  const auto fields = fieldsOf<7>(line);
  const auto user = numberOf(fields[2]);
  const auto group = numberOf(fields[3]);
  if (!user.has_value() || !group.has_value()) return std::nullopt;
  return Account{.name = std::string(fields[0]),
                 .home = std::string(fields[5]),
                 .credentials = {.user = *user, .group = *group, .groups = {}}};
}

// name:password:gid:member,member
std::vector<gid_t> groupsWith(std::string_view group, std::string_view member) {
  std::vector<gid_t> groups;
  while (!group.empty()) {
    const auto fields = fieldsOf<4>(takeUntil(group, '\n'));
    const auto number = numberOf(fields[2]);
    std::string_view members = fields[3];
    bool isMember = false;
    while (!members.empty()) isMember |= takeUntil(members, ',') == member;
    if (isMember && number.has_value()) groups.push_back(*number);
  }
  return groups;
}

}  // namespace

Result<Account> findAccount(std::string_view passwd, std::string_view group, std::string_view user) {
  const auto number = numberOf(user);
  while (!passwd.empty()) {
    auto account = accountOf(takeUntil(passwd, '\n'));
    if (!account.has_value()) continue;
    if (account->name != user && account->credentials.user != number) continue;
    account->credentials.groups = groupsWith(group, account->name);
    return std::move(*account);
  }
  if (!number.has_value()) return Error(Remedy::fixInput, "there is no user '" + std::string(user) + "'");
  return Account{
      .name = std::string(user), .home = "/", .credentials = {.user = *number, .group = *number, .groups = {}}};
}

}  // namespace qm::agent
