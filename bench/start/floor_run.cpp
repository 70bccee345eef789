#include "bench/start/floor_run.h"

#include <array>
#include <mutex>
#include <thread>
#include <vector>

#include "vmm/os/process.h"
#include "vmm/os/unix_socket.h"
#include "vmm/os/wait.h"

namespace qm::bench {

Result<FloorRun> runFloor(const std::filesystem::path& program) {
  auto [ours, theirs] = TRY(unixSocketPair());
  const Clock::time_point spawned = Clock::now();
  const Process process = TRY(Process::start({.executable = program,
                                              .arguments = {},
                                              .folder = {},
                                              .output = {},
                                              .descriptors = {{.ours = theirs.get(), .number = 1}}}));
  theirs.close();
  TRY(waitReadable(ours, deadline()));
  std::array<std::byte, 1> answer{};
  const std::size_t count = TRY(readSome(ours, answer));
  const Clock::time_point answered = Clock::now();
  static_cast<void>(process.reap());
  if (count != 1) return Error(Remedy::giveUp, "the bare program did not run its guest");
  return FloorRun{.answer = answered - spawned, .teardown = Clock::now() - answered};
}

Result<double> floorRate(const std::filesystem::path& program, std::uint32_t workers, std::chrono::milliseconds time) {
  std::mutex mutex;  // protects the next two while workers run
  std::uint64_t made = 0;
  Status failure;
  const Clock::time_point start = Clock::now();
  {
    std::vector<std::jthread> threads;
    for (std::uint32_t worker = 0; worker < workers; ++worker) {
      threads.emplace_back([&] {
        while (Clock::now() - start < time) {
          const Result<FloorRun> run = runFloor(program);
          const std::lock_guard lock(mutex);
          if (!run.has_value()) {
            failure = run.error();
            return;
          }
          ++made;
        }
      });
    }
  }
  TRY(std::move(failure));
  return static_cast<double>(made) / std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace qm::bench
