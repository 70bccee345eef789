// quickmatch-vmm: one microVM, until its guest ends or SIGTERM. As `quickmatch-vmm jail`: a jail for a program.
#include <cstdio>
#include <string_view>

#include <fmt/format.h>

#include "api/vmm/jail/jail_command.h"
#include "api/vmm/program/options.h"
#include "api/vmm/program/program.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/os/heap.h"

int main(int count, char** words) {
  if (count > 1 && std::string_view(words[1]) == "jail") return qm::vmm::runJail(count - 1, words + 1);
  const qm::vmm::ParsedOptions parsed = qm::vmm::parseOptions(count, words);
  if (!parsed.options) return parsed.exitCode;
  qm::useOneHeap();
  qm::keepNewFilesPrivate();
  const qm::Log log = qm::Log::toStandardError(parsed.options->logLevel);
  const qm::Result<int> exitCode = qm::vmm::runProgram(*parsed.options, log);
  if (exitCode.has_value()) return *exitCode;
  fmt::print(stderr, "quickmatch-vmm: {}\n", exitCode.error().text());
  return 1;
}
