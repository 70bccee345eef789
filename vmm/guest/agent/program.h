// One program that runs for a request: its input is fed, its output kept up to a limit and read beyond it, its time
// watched. It is over when it has ended itself; children that it leaves behind keep running, without our pipes.
// Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "vmm/guest/protocol/agent_values.h"
#include "vmm/loop/event_loop.h"
#include "vmm/os/piped_child.h"
#include "vmm/result/result.h"

namespace qm::agent {

class Program {
 public:
  // May destroy the Program: it is the last that is done with it.
  using Done = std::function<void(Ran)>;

  // fixInput: it cannot be started as asked; `done` is not called then.
  static Result<std::unique_ptr<Program>> start(EventLoop& loop, const Run& run, Done done);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  // Kills it and its group, if it still runs; `done` is not called.
  ~Program();

  pid_t pid() const { return process_.pid(); }
  // It has ended: reaps it and calls `done`.
  void collect();

 private:
  struct Output {
    FileDescriptor pipe;
    std::vector<std::byte> kept;
    bool isTruncated = false;
  };

  Program(EventLoop& loop, const Run& run, PipedChild child, Done done);
  Status watchAll();
  void feed();
  void read(Output& output);
  void drain(Output& output);
  void close(FileDescriptor& pipe);
  void onTimeout();

  EventLoop& loop_;
  Process process_;
  FileDescriptor in_;
  Output out_;
  Output err_;
  std::vector<std::byte> stdin_;
  std::size_t fed_ = 0;
  std::uint64_t outputLimit_;
  std::uint32_t timeoutMs_;
  std::uint64_t timer_ = 0;  // 0: none
  bool timedOut_ = false;
  bool isCollected_ = false;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  Done done_;
};

}  // namespace qm::agent
