// The Unix socket on which programs of the host ask for ports of the guest: it reads each client's CONNECT line, then
// gives the client away. Threads: the loop's only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "vmm/loop/event_loop.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::vsock {

class ConnectListener {
 public:
  // `client` has sent its line and not a byte of what follows was read.
  using OnConnect = std::function<void(std::uint32_t port, FileDescriptor client)>;
  // Asked for each new client; a client that is not admitted is closed.
  using Admits = std::function<bool()>;
  // A client that was not admitted or sent no CONNECT line.
  using OnRefusal = std::function<void()>;
  struct Callbacks {
    Admits admits;
    OnConnect onConnect;
    OnRefusal onRefusal;
  };

  // Makes the socket's file at `path`, and removes it when destroyed. A path at which something is already is fixInput.
  static Result<std::unique_ptr<ConnectListener>> create(EventLoop& loop, const std::filesystem::path& path,
                                                         Callbacks callbacks);
  ~ConnectListener();
  ConnectListener(const ConnectListener&) = delete;
  ConnectListener& operator=(const ConnectListener&) = delete;

  // Clients whose line is not complete.
  std::size_t clients() const { return clients_.size(); }

 private:
  struct Client {
    FileDescriptor file;
    std::string line;
  };
  ConnectListener(EventLoop& loop, std::filesystem::path path, FileDescriptor listener, Callbacks callbacks);
  Status listen();
  void acceptClients();
  void restFor(std::chrono::milliseconds time);
  void readLine(std::uint64_t number);
  void refuse(std::uint64_t number);

  EventLoop& loop_;
  std::filesystem::path path_;
  FileDescriptor listener_;
  Callbacks callbacks_;
  std::map<std::uint64_t, Client> clients_;
  std::uint64_t nextClient_ = 0;
  std::uint64_t resting_ = 0;  // the timer that ends a rest, or 0
};

}  // namespace qm::vsock
