// Serves a router over HTTP/1.1, on a Unix socket and, if asked, on a TCP address.
//
// One thread reads, answers and writes, and waits in its epoll for answers that are still to come (rest/pending.h).
// What may wait otherwise has a thread of a fixed set for itself; requests beyond that number wait for one. Bodies are
// limited (rest::kLongestBody), slow senders too: half a minute.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "api/daemon/rest/router.h"
#include "vmm/log/log.h"
#include "vmm/result/result.h"

namespace qm {

struct TcpAddress {
  std::string host;  // a numeric address: "127.0.0.1", "::1"
  std::uint16_t port = 0;
  bool operator==(const TcpAddress&) const = default;
};

// "127.0.0.1:8080" or "[::1]:8080".
Result<TcpAddress> parseTcpAddress(const std::string& text);

struct ServerSettings {
  std::filesystem::path socket;   // mode 0600; a left-over one, where nobody listens, is replaced
  std::optional<TcpAddress> tcp;  // port 0: the kernel chooses
  std::uint32_t threads = 64;     // requests served at once whose handlers may wait; one more reads, answers and writes
};

class Server {
 public:
  // Listens and serves until stop(). The router outlives the server.
  static Result<std::unique_ptr<Server>> start(const ServerSettings& settings, const rest::Router& router, Log log);
  ~Server();  // stop(), without patience
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Where TCP is listened on; 0: nowhere.
  std::uint16_t tcpPort() const;
  // Takes no more connections and removes the socket's file; requests under way go on.
  void stopListening();
  // Waits for requests under way, at most `patience`, then closes all connections. Idempotent.
  void stop(std::chrono::milliseconds patience);

 private:
  class Inside;
  explicit Server(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

}  // namespace qm
