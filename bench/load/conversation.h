// One connection and the request that it serves: acquire, ask, release, one answer after the other.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "bench/load/http_response.h"
#include "bench/load/lease_talk.h"
#include "bench/load/request_record.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::bench {

class Conversation {
 public:
  // Connected; retry while the daemon's backlog is full.
  static Result<Conversation> open(const std::filesystem::path& socket);

  struct Errand {
    What what = What::reply;
    std::string_view acquire;  // acquireMessage()'s
    std::string word;          // what an exec is to say
  };
  // Sends the first message. `record` outlives the request.
  void begin(Errand errand, RequestRecord& record, std::chrono::nanoseconds now);
  // Reads what there is; `now`: the time since the run's start at which it was readable.
  void read(std::chrono::nanoseconds now);
  // Gives the request up, with this as its failure.
  void fail(std::string why);

  bool isUnderWay() const { return record_ != nullptr; }
  const RequestRecord& record() const { return *record_; }
  // False: it is to be closed.
  bool isUsable() const { return usable_; }
  // When it was last used.
  std::chrono::nanoseconds idleSince() const { return idleSince_; }
  const FileDescriptor& file() const { return file_; }

 private:
  enum class Step : std::uint8_t { acquire, ask, release };

  explicit Conversation(FileDescriptor file) : file_(std::move(file)) {}
  void send(Step step, std::string_view message);
  void hear(std::chrono::nanoseconds now);
  void hearGrant(std::chrono::nanoseconds now);
  void hearAnswer(std::chrono::nanoseconds now);
  void hearReleased(std::chrono::nanoseconds now);
  void end(std::chrono::nanoseconds now);
  void note(std::string failure);

  FileDescriptor file_;
  HttpResponse response_;
  RequestRecord* record_ = nullptr;
  What what_ = What::reply;
  std::string word_;
  GrantedLease lease_;
  Step step_ = Step::acquire;
  std::chrono::nanoseconds idleSince_{};
  bool usable_ = true;
};

}  // namespace qm::bench
