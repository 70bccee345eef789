#include "bench/start/program.h"

#include <signal.h>

#include <cstdio>

#include <fmt/format.h>

#include "vmm/os/signals.h"

namespace qm::bench {

int runProgram(const Program& program, int count, char** words, const std::function<void(CLI::App&)>& describe,
               const std::function<Status()>& measure) {
  CLI::App app(program.description, program.name);
  describe(app);
  CLI11_PARSE(app, count, words);
  blockSignals({SIGPIPE});
  const Status done = measure();
  if (done.has_value()) return 0;
  fmt::print(stderr, "{}: {}\n", program.name, done.error().text());
  return 1;
}

}  // namespace qm::bench
