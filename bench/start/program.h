// What the mains of all benchmarks do: read the command line, measure, say what went wrong.
#pragma once

#include <functional>

#include <CLI/CLI.hpp>

#include "vmm/result/result.h"

namespace qm::bench {

struct Program {
  const char* name;
  const char* description;
};

// `describe` adds the options, `measure` is called once they have been read. What main() answers: 0, or 1 after a line
// on standard error; what CLI11 says where the command line is wrong. SIGPIPE is blocked: a peer that goes is an error
// of writing.
int runProgram(const Program& program, int count, char** words, const std::function<void(CLI::App&)>& describe,
               const std::function<Status()>& measure);

// The same, over a value that the options fill in.
template <class Command>
int runProgram(const Program& program, int count, char** words, void (&describe)(CLI::App&, Command&),
               Status (&measure)(const Command&)) {
  Command command;
  return runProgram(
      program, count, words, [&](CLI::App& app) { describe(app, command); }, [&] { return measure(command); });
}

}  // namespace qm::bench
