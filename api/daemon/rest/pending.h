// An answer that is still to come, and needs no thread that waits for it: whoever carries the request waits for a
// descriptor, in epoll, and asks again.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "api/daemon/rest/message.h"
#include "pool/vm/awaited.h"

namespace qm::rest {

class Pending;
struct OnThread;
// An answer, or what is to be done next for one.
using Begun = std::variant<Response, OnThread, std::unique_ptr<Pending>>;

// What is left to do may wait for a guest, a VM or a file, or takes long: it wants a thread of its own.
struct OnThread {
  std::function<Begun()> work;
};

enum class Client : std::uint8_t {
  isNeeded,   // who asked and went away has given it up
  mayBeGone,  // it goes on all the same
};

class Pending {
 public:
  // Gives up what was begun.
  virtual ~Pending() = default;
  virtual const FileDescriptor& file() const = 0;
  virtual std::chrono::steady_clock::time_point deadline() const = 0;
  virtual Client client() const = 0;
  // Once the file is readable or the deadline has come. None: not yet.
  virtual std::optional<Begun> proceed() = 0;
};

// The answer, for who has a thread to wait with.
Response awaited(Begun begun);

// The outcome of something that the pool has begun, put into words by `say`.
template <class T>
class PendingOutcome final : public Pending {
 public:
  using Say = std::function<Begun(Result<T>)>;

  PendingOutcome(std::unique_ptr<pool::Awaited<T>> awaited, Client client, Say say)
      : awaited_(std::move(awaited)), client_(client), say_(std::move(say)) {}

  const FileDescriptor& file() const override { return awaited_->file(); }
  std::chrono::steady_clock::time_point deadline() const override { return awaited_->deadline(); }
  Client client() const override { return client_; }
  std::optional<Begun> proceed() override {
    std::optional<Result<T>> outcome = awaited_->take();
    if (!outcome) return std::nullopt;
    return say_(*std::move(outcome));
  }

 private:
  std::unique_ptr<pool::Awaited<T>> awaited_;
  Client client_;
  Say say_;
};

}  // namespace qm::rest
