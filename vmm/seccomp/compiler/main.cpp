// seccomp_compiler OUTPUT | --list: writes the filters of all roles and levels, and the calls' names, as C++; or prints
// the rules as the table of docs/security.md.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "vmm/result/check.h"
#include "vmm/seccomp/compiler/rule.h"

namespace {

using namespace qm::seccomp;
using Context = std::unique_ptr<void, decltype(&::seccomp_release)>;

constexpr std::array kRoles{ThreadRole::api, ThreadRole::loop, ThreadRole::vcpu};
constexpr std::array kLevels{Level::calls, Level::arguments};
constexpr int kCallNumbers = 512;  // x86-64 has some 460

std::string callText(int call) {
  const std::unique_ptr<char, decltype(&::free)> name(::seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, call),
                                                      ::free);
  return name == nullptr ? "" : name.get();
}

scmp_arg_cmp comparisonOf(const ArgumentTest& test) {
  return {.arg = test.argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = test.mask, .datum_b = test.value};
}

std::vector<scmp_arg_cmp> comparisonsOf(const Rule& rule) {
  std::vector<scmp_arg_cmp> all;
  std::ranges::transform(rule.tests, std::back_inserter(all), comparisonOf);
  return all;
}

// A call that is allowed with any arguments makes its other rules meaningless, and libseccomp refuses them.
bool isAllowedOutright(const Rules& rules, int call) {
  return std::ranges::any_of(rules, [&](const Rule& rule) { return rule.call == call && rule.tests.empty(); });
}

void add(const Context& context, const Rules& rules, Level level) {
  for (const Rule& rule : rules) {
    const std::uint32_t action = rule.answer == Answer::allow ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(ENOSYS);
    std::vector<scmp_arg_cmp> tests;
    if (level == Level::arguments && !isAllowedOutright(rules, rule.call)) tests = comparisonsOf(rule);
    const int failed = ::seccomp_rule_add_exact_array(context.get(), action, rule.call,
                                                      static_cast<unsigned int>(tests.size()), tests.data());
    CHECK(failed == 0 || failed == -EEXIST);
  }
}

std::vector<sock_filter> exported(const Context& context) {
  const int file = ::memfd_create("filter", MFD_CLOEXEC);
  CHECK(file >= 0 && ::seccomp_export_bpf(context.get(), file) == 0);
  const off_t bytes = ::lseek(file, 0, SEEK_END);
  CHECK(bytes > 0 && static_cast<std::size_t>(bytes) % sizeof(sock_filter) == 0);
  std::vector<sock_filter> filter(static_cast<std::size_t>(bytes) / sizeof(sock_filter));
  CHECK(::pread(file, filter.data(), static_cast<std::size_t>(bytes), 0) == bytes);
  ::close(file);
  return filter;
}

std::vector<sock_filter> compile(ThreadRole role, Level level) {
  const Context context(::seccomp_init(SCMP_ACT_TRAP), ::seccomp_release);
  CHECK(context != nullptr);
  // Another architecture's call, x32's among them, is a violation like any.
  CHECK(::seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_TRAP) == 0);
  // A binary tree over the numbers.
  CHECK(::seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0);
  add(context, rulesOf(role), level);
  std::vector<sock_filter> filter = exported(context);
  // Who it was, for the handler of the trap.
  for (sock_filter& instruction : filter) {
    if (instruction.code == (BPF_RET | BPF_K) && instruction.k == SECCOMP_RET_TRAP) {
      instruction.k |= static_cast<std::uint32_t>(role);
    }
  }
  return filter;
}

std::vector<sock_filter> compileJail() {
  const Context context(::seccomp_init(SCMP_ACT_ALLOW), ::seccomp_release);
  CHECK(context != nullptr);
  // Through another architecture's numbers all of them could be reached.
  CHECK(::seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0);
  CHECK(::seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0);
  for (const Rule& rule : jailRefusals()) {
    const std::vector<scmp_arg_cmp> tests = comparisonsOf(rule);
    CHECK(::seccomp_rule_add_exact_array(context.get(), SCMP_ACT_ERRNO(EPERM), rule.call,
                                         static_cast<unsigned int>(tests.size()), tests.data()) == 0);
  }
  return exported(context);
}

std::string arrayName(ThreadRole role, Level level) {
  return "k" + std::string(nameOf(role)) + std::to_string(static_cast<int>(level));
}

void writeArray(std::ostream& out, const std::string& name, const std::vector<sock_filter>& filter) {
  out << "constexpr std::array<sock_filter, " << filter.size() << "> " << name << "{{\n";
  for (const sock_filter& each : filter) {
    out << "    {" << each.code << ", " << int{each.jt} << ", " << int{each.jf} << ", " << each.k << "U},\n";
  }
  out << "}};\n";
}

void writeFilters(std::ostream& out) {
  writeArray(out, "kJail", compileJail());
  for (const ThreadRole role : kRoles) {
    for (const Level level : kLevels) {
      writeArray(out, arrayName(role, level), compile(role, level));
    }
  }
}

void writeSource(std::ostream& out) {
  out << "// Written by seccomp_compiler.\n#include \"vmm/seccomp/compiled.h\"\n\n#include <array>\n\n"
         "namespace qm::seccomp {\n\nnamespace {\n\n";
  writeFilters(out);
  out << "constexpr std::array<std::string_view, " << kCallNumbers << "> kCallNames{{\n";
  for (int call = 0; call < kCallNumbers; ++call) out << "    \"" << callText(call) << "\",\n";
  out << "}};\n\n}  // namespace\n\nstd::span<const sock_filter> compiledFilter(ThreadRole role, Level level) {\n";
  for (const ThreadRole role : kRoles) {
    for (const Level level : kLevels) {
      out << "  if (role == ThreadRole::" << nameOf(role) << " && level == static_cast<Level>("
          << static_cast<int>(level) << ")) return " << arrayName(role, level) << ";\n";
    }
  }
  out << "  return {};\n}\n\nstd::span<const sock_filter> compiledJailFilter() {\n  return kJail;\n}\n\n"
         "std::string_view callName(int number) {\n"
         "  if (number < 0 || number >= static_cast<int>(kCallNames.size())) return {};\n"
         "  return kCallNames[static_cast<std::size_t>(number)];\n}\n\n}  // namespace qm::seccomp\n";
}

std::string describe(const Rule& rule) {
  if (rule.answer == Answer::absent) return "answers ENOSYS";
  std::string text;
  for (const ArgumentTest& test : rule.tests) {
    std::array<char, 64> words{};
    const char* joint = text.empty() ? "" : " and ";
    if (test.mask == kWholeInt) {
      (void)std::snprintf(words.data(), words.size(), "%sargument %u is %#lx", joint, test.argument, test.value);
    } else {
      (void)std::snprintf(words.data(), words.size(), "%sargument %u & %#lx is %#lx", joint, test.argument, test.mask,
                          test.value);
    }
    text += words.data();
  }
  return text;
}

void listRefusals() {
  std::map<std::string, std::string> refusals;
  for (const Rule& rule : jailRefusals()) refusals.emplace(callText(rule.call), describe(rule));
  std::printf("refused to all in a jail: %zu calls\n", refusals.size());
  for (const auto& [name, which] : refusals) {
    std::printf("  %s%s%s\n", name.c_str(), which.empty() ? "" : ": ", which.c_str());
  }
}

void listRules() {
  listRefusals();
  for (const ThreadRole role : kRoles) {
    const Rules rules = rulesOf(role);
    std::map<std::string, std::string> byName;
    for (const Rule& rule : rules) {
      std::string& line = byName[callText(rule.call)];
      const std::string text =
          isAllowedOutright(rules, rule.call) && rule.answer == Answer::allow ? "" : describe(rule);
      if (!text.empty()) line += (line.empty() ? "" : "; ") + text;
    }
    std::printf("%s: %zu calls\n", std::string(nameOf(role)).c_str(), byName.size());
    for (const auto& [name, line] : byName) {
      std::printf("  %s%s%s\n", name.c_str(), line.empty() ? "" : ": ", line.c_str());
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  if (std::string(argv[1]) == "--list") {
    listRules();
    return 0;
  }
  std::ofstream out(argv[1]);
  writeSource(out);
  out.close();
  return out.good() ? 0 : 1;
}
