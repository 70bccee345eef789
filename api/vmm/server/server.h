// The VMM's HTTP server on a Unix socket. Up to ten connections, kept alive; requests of all of them are served one at
// a time. A connection that sends what is no HTTP, or a body beyond the limit, is told so and closed; others go on.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>

#include "api/vmm/request/answer.h"
#include "vmm/result/result.h"

namespace qm::vmm {

inline constexpr std::size_t kLongestBody = 51'200;
inline constexpr std::size_t kMostConnections = 10;

class Server {
 public:
  // On the thread of run(). The target is the path as it was sent.
  using Handler = std::function<Answer(std::string_view method, std::string_view target, std::string_view body)>;

  // Listens on `socket`, which must not exist. Connections wait until run().
  static Result<std::unique_ptr<Server>> listen(const std::filesystem::path& socket, Handler handler);
  // Closes all connections and removes the socket's file. Not while run() runs.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Serves on the caller's thread until stop().
  void run();
  // Any thread. The request under way is finished first.
  void stop();

 private:
  class Inside;
  explicit Server(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

}  // namespace qm::vmm
