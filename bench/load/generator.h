// Sends requests by a schedule over a daemon's Unix socket and writes down what becomes of each. One thread, one epoll;
// each request (acquire, ask, release) has a connection of its own while it is under way, and connections are kept. A
// request leaves when its time has come, however many are under way: nothing waits for an answer.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <vector>

#include "bench/load/lease_talk.h"
#include "bench/load/request_record.h"
#include "bench/load/schedule.h"
#include "vmm/result/result.h"

namespace qm::bench {

struct LoadSettings {
  std::filesystem::path socket;
  Arrivals arrivals;
  LeaseWish wish;
  std::chrono::nanoseconds patience =
      std::chrono::seconds(10);  // a request that takes longer, from its time on, has failed
  // What happens at moments of the run (offsets from its start, ascending), in the generator's thread: quick things.
  struct Moment {
    std::chrono::nanoseconds at{};
    std::function<void()> act;
  };
  std::vector<Moment> moments;
};

struct LoadRun {
  std::vector<RequestRecord> records;  // all, in the order of their times
  std::chrono::nanoseconds cpu{};      // of the thread that ran this
  std::chrono::nanoseconds wall{};     // from the start to the last request's end
  std::size_t mostUnderWay = 0;
};

// Until every request has its end. Errors: the daemon could not be reached at all, or the schedule makes no sense; what
// happens to a request is in its record.
Result<LoadRun> runLoad(const LoadSettings& settings);

}  // namespace qm::bench
