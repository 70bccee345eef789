#include "bench/load/conversation.h"

#include <array>

#include <fmt/format.h>

#include "vmm/os/unix_socket.h"
#include "vmm/result/check.h"

namespace qm::bench {

using std::chrono::nanoseconds;

namespace {

constexpr std::uint16_t kOk = 200, kCreated = 201, kNoContent = 204;

}  // namespace

Result<Conversation> Conversation::open(const std::filesystem::path& socket) {
  return Conversation(TRY(connectUnix(socket, Blocking::no)));
}

void Conversation::begin(Errand errand, RequestRecord& record, nanoseconds now) {
  CHECK(record_ == nullptr);
  record_ = &record;
  what_ = errand.what;
  word_ = std::move(errand.word);
  record.sent = now;
  send(Step::acquire, errand.acquire);
}

// A message is far shorter than an empty socket's buffer, and the one before it was answered.
void Conversation::send(Step step, std::string_view message) {
  step_ = step;
  response_.reset();
  const Result<std::size_t> sent = writeSome(file_, std::as_bytes(std::span(message)));
  if (!sent.has_value()) return fail("sending: " + sent.error().text());
  if (*sent != message.size()) fail("sending: the socket took a part only");
}

void Conversation::read(nanoseconds now) {
  std::array<std::byte, 8192> room;
  for (;;) {
    const Result<std::size_t> count = readSome(file_, room);
    if (!count.has_value() && count.error().remedy() == Remedy::retry) return;
    if (!count.has_value() || *count == 0) {
      usable_ = false;
      if (isUnderWay()) fail("the daemon closed the connection");
      return;
    }
    if (!isUnderWay()) {
      usable_ = false;  // it says what nobody asked for
      return;
    }
    const auto progress = response_.take({reinterpret_cast<const char*>(room.data()), *count});
    if (!progress.has_value()) return fail(progress.error().text());
    if (*progress == Progress::complete) return hear(now);
    if (*count < room.size()) return;
  }
}

void Conversation::hear(nanoseconds now) {
  if (!response_.keepsConnection()) usable_ = false;
  switch (step_) {
    case Step::acquire:
      return hearGrant(now);
    case Step::ask:
      return hearAnswer(now);
    case Step::release:
      return hearReleased(now);
  }
}

void Conversation::hearGrant(nanoseconds now) {
  if (response_.status() != kCreated) {
    note("acquire: " + problemOf(response_.status(), response_.body()));
    return end(now);
  }
  Result<GrantedLease> lease = readGrant(response_.body());
  if (!lease.has_value()) return fail("acquire: " + lease.error().text());
  lease_ = *std::move(lease);
  record_->granted = now;
  record_->road = lease_.road;
  record_->phases = std::move(lease_.phases);
  send(Step::ask, askMessage(what_, lease_, word_));
}

// However it went, the lease is given back.
void Conversation::hearAnswer(nanoseconds now) {
  if (response_.status() != kOk) {
    note("ask: " + problemOf(response_.status(), response_.body()));
  } else if (what_ == What::exec) {
    const Status said = readExec(response_.body(), word_);
    if (said.has_value()) {
      record_->answered = now;
    } else {
      note("ask: " + said.error().text());
    }
  } else {
    Result<std::string> guest = readPing(response_.body());
    if (guest.has_value()) {
      record_->answered = now;
      record_->guestNonce = *std::move(guest);
    } else {
      note("ask: " + guest.error().text());
    }
  }
  send(Step::release, releaseMessage(lease_));
}

void Conversation::hearReleased(nanoseconds now) {
  if (response_.status() == kNoContent) {
    record_->released = now;
  } else {
    note("release: " + problemOf(response_.status(), response_.body()));
  }
  end(now);
}

void Conversation::fail(std::string why) {
  usable_ = false;
  note(std::move(why));
  record_ = nullptr;
}

void Conversation::end(nanoseconds now) {
  record_ = nullptr;
  idleSince_ = now;
}

// The first failure is the cause of those that follow.
void Conversation::note(std::string failure) {
  if (record_->failure.empty()) record_->failure = std::move(failure);
}

}  // namespace qm::bench
