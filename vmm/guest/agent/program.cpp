#include "vmm/guest/agent/program.h"

#include <signal.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "vmm/guest/agent/command.h"

namespace qm::agent {

namespace {

// A pipe holds 64 KiB unless somebody enlarged it (pipe(7)).
constexpr std::size_t kReadBytes = 16'384;
constexpr int kDrainReads = 4;

}  // namespace

Result<std::unique_ptr<Program>> Program::start(EventLoop& loop, const Run& run, Done done) {
  const PipedPlan plan = TRY(agent::plan(run));
  PipedChild child = TRY(startPiped(plan));
  std::unique_ptr<Program> program(new Program(loop, run, std::move(child), std::move(done)));
  TRY(program->watchAll());
  return program;
}

Program::Program(EventLoop& loop, const Run& run, PipedChild child, Done done)
    : loop_(loop),
      process_(std::move(child.process)),
      in_(std::move(child.in)),
      out_{.pipe = std::move(child.out), .kept = {}},
      err_{.pipe = std::move(child.err), .kept = {}},
      stdin_(run.stdin),
      outputLimit_(run.outputLimit),
      timeoutMs_(run.timeoutMs),
      done_(std::move(done)) {}

Program::~Program() {
  if (timer_ != 0) loop_.cancel(timer_);
  close(in_);
  close(out_.pipe);
  close(err_.pipe);
  loop_.unwatch(process_.descriptor());
  if (isCollected_) return;
  killGroup(process_.pid());
  process_.reap();
}

Status Program::watchAll() {
  TRY(loop_.watch(process_.descriptor(), Ready::readable, [this](Ready) { collect(); }));
  TRY(loop_.watch(out_.pipe, Ready::readable, [this](Ready) { read(out_); }));
  TRY(loop_.watch(err_.pipe, Ready::readable, [this](Ready) { read(err_); }));
  if (stdin_.empty()) {
    in_.close();
  } else {
    TRY(loop_.watch(in_, Ready::writable, [this](Ready) { feed(); }));
  }
  if (timeoutMs_ != 0) {
    timer_ = loop_.at(started_ + std::chrono::milliseconds(timeoutMs_), [this] { onTimeout(); });
  }
  return {};
}

void Program::close(FileDescriptor& pipe) {
  if (!pipe.isOpen()) return;
  loop_.unwatch(pipe);
  pipe.close();
}

void Program::feed() {
  const auto count = writeSome(in_, std::span(stdin_).subspan(fed_));
  if (count.has_value()) fed_ += *count;
  // A program that does not want the rest is no error.
  const bool isOver = count.has_value() ? fed_ == stdin_.size() : count.error().remedy() != Remedy::retry;
  if (!isOver) return;
  close(in_);
  stdin_ = {};
}

void Program::read(Output& output) {
  std::array<std::byte, kReadBytes> bytes;
  const auto count = readSome(output.pipe, bytes);
  if (!count.has_value() && count.error().remedy() == Remedy::retry) return;
  if (!count.has_value() || *count == 0) return close(output.pipe);
  const std::size_t room = outputLimit_ - output.kept.size();
  const auto kept = std::span(bytes).first(std::min(*count, room));
  output.kept.insert(output.kept.end(), kept.begin(), kept.end());
  output.isTruncated |= kept.size() < *count;
}

// What the program wrote before it ended is in the pipe; what a child of it goes on writing is not waited for.
void Program::drain(Output& output) {
  for (int i = 0; i < kDrainReads && output.pipe.isOpen(); ++i) read(output);
}

void Program::onTimeout() {
  timer_ = 0;
  timedOut_ = true;
  killGroup(process_.pid());
}

void Program::collect() {
  if (isCollected_) return;
  isCollected_ = true;
  const ProcessEnd end = process_.reap().value_or(ProcessEnd{.signal = SIGKILL});
  drain(out_);
  drain(err_);
  const auto duration = std::chrono::steady_clock::now() - started_;
  Ran ran{.exitCode = end.code,
          .signal = end.signal,
          .out = std::move(out_.kept),
          .err = std::move(err_.kept),
          .timedOut = timedOut_,
          .outTruncated = out_.isTruncated,
          .errTruncated = err_.isTruncated,
          .durationUs =
              static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(duration).count())};
  const Done done = std::move(done_);
  done(std::move(ran));
}

}  // namespace qm::agent
