// One connection to an HTTP/1.1 server behind a Unix socket. Connects when it is first needed, keeps the connection,
// and makes another when the server has closed an idle one. Threads: one at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

struct HttpAsk {
  std::string_view method;
  std::string target;
  std::string body;  // JSON; empty: none
  std::vector<std::pair<std::string, std::string>> headers;
};

struct HttpAnswer {
  std::uint16_t status = 0;
  std::string contentType;
  std::string body;
};

class HttpClient {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  explicit HttpClient(std::filesystem::path socket) : socket_(std::move(socket)) {}

  // Any answer is a value, whatever its status. Errors: retry when nobody listens or the deadline is past, giveUp when
  // the peer speaks no HTTP or has gone amid an answer. Whether it did what was asked is then unknown.
  Result<HttpAnswer> ask(const HttpAsk& request, Deadline deadline);

 private:
  Status connect();
  // Whether the server has closed the connection that is kept, or said what nobody asked for.
  bool isStale() const;

  std::filesystem::path socket_;
  FileDescriptor connection_;
};

}  // namespace qm
