// What callers begin who have no thread to wait with: an acquire, a ping, a command, a connection.
#include <cstddef>
#include <utility>

#include "pool/inside.h"
#include "pool/random/random_nonce.h"
#include "vmm/os/eventfd.h"

namespace qm::pool {

// Stands in the line until it is taken from or given up.
class Pool::Inside::PlaceInLine final : public Awaited<Acquired> {
 public:
  PlaceInLine(Inside& pool, Call call, const AcquireRequest& request, const PhaseTimer& timer, Eventfd bell)
      : pool_(pool), call_(std::move(call)), request_(request), timer_(timer), bell_(std::move(bell)) {
    order_.templateName = request.templateName;
    order_.since = pool_.now();
    order_.until = pool_.untilOf(request, order_.since);
    order_.bell = &bell_;
  }
  // A clone that was made for it meanwhile has no other use: its maker has long turned to the next.
  ~PlaceInLine() override {
    Lock lock(pool_.mutex_);
    if (!order_.answer) pool_.orders_.withdraw(order_);
    lock.unlock();
    if (order_.answer && order_.answer->has_value() && (*order_.answer)->vm != nullptr)
      pool_.teardown_.end(std::move((*order_.answer)->vm));
  }

  Order& order() { return order_; }
  const FileDescriptor& file() const override { return bell_.file(); }
  Deadline deadline() const override { return order_.until; }

  std::optional<Result<Acquired>> take() override {
    {
      const std::lock_guard lock(pool_.mutex_);
      if (!order_.answer) {
        if (pool_.now() < order_.until) return std::nullopt;
        pool_.orders_.withdraw(order_);
        order_.answer.emplace(pool_.late());
      }
    }
    if (!order_.answer->has_value()) return refused();
    timer_.add((*order_.answer)->phases);
    return granted(pool_.told(request_, pool_.grant(request_, **std::move(order_.answer), timer_)));
  }

 private:
  static Result<Acquired> granted(Result<Grant> grant) {
    if (!grant) return std::move(grant).error();
    return Acquired(*std::move(grant));
  }
  Result<Acquired> refused() {
    Refusal refusal = pool_.refusalOf(order_);
    if (refusal.kind == Refusal::Kind::unservable) return Acquired(WouldWait{});
    return granted(pool_.told(request_, std::move(refusal).error));
  }

  Inside& pool_;
  Call call_;
  AcquireRequest request_;
  PhaseTimer timer_;
  Eventfd bell_;
  Order order_;
};

// A woken maker takes a core, and here an interrupt between the cores' own virtual machine; so does the observer's
// word. Both are a good part of a warm hit when they come before its answer.
Aftermath Pool::Inside::afterAnswer(const std::string& templateName, const Grant& grant) {
  return {nullptr, [this, templateName, road = grant.road, phases = grant.phases](std::nullptr_t) {
            follow(templateName, road, phases);
          }};
}

Result<BegunAcquire> Pool::Inside::beginAcquire(const AcquireRequest& request) {
  Call call = TRY(Call::begin(*this));
  if (request.forced) return WouldWait{};
  if (Status fits = checkAcquire(request); !fits) return std::move(told(request, std::move(fits).error())).error();
  PhaseTimer timer(wiring_.clock);
  if (Vm vm = timer.time(Phase::take, [&] { return takeLiving(request.templateName); })) {
    Result<Grant> warm = grant(request, {.vm = std::move(vm), .road = Road::ready, .phases = {}}, timer);
    if (!warm) return std::move(told(request, std::move(warm).error())).error();
    warm->aftermath = afterAnswer(request.templateName, *warm);
    return *std::move(warm);
  }
  if (request.wait > std::chrono::milliseconds(0)) return WouldWait{};
  // Amid all that is to be opened the bell may be too much.
  auto place = std::make_unique<PlaceInLine>(*this, std::move(call), request, timer, TRY(Eventfd::create()));
  std::optional<Refusal> refusal;
  {
    const std::lock_guard lock(mutex_);
    refusal = enterLine(request, place->order());
  }
  if (refusal && refusal->kind == Refusal::Kind::unservable) return WouldWait{};
  tellMiss(request.templateName);
  if (refusal) return std::move(told(request, std::move(refusal)->error)).error();
  return place;
}

// What a VM says, made the pool's word; the VM is kept, and the pool open, until it is taken or given up.
template <class From, class To>
class Pool::Inside::Spoken final : public Awaited<To> {
 public:
  using Make = std::function<Result<To>(From)>;

  Spoken(Call call, Vm vm, std::unique_ptr<Awaited<From>> word, Make make)
      : call_(std::move(call)), vm_(std::move(vm)), word_(std::move(word)), make_(std::move(make)) {}

  const FileDescriptor& file() const override { return word_->file(); }
  Deadline deadline() const override { return word_->deadline(); }
  std::optional<Result<To>> take() override {
    std::optional<Result<From>> said = word_->take();
    if (!said) return std::nullopt;
    if (!said->has_value()) return std::move(*said).error();
    return make_(**std::move(said));
  }

 private:
  Call call_;
  Vm vm_;
  std::unique_ptr<Awaited<From>> word_;  // of the VM
  Make make_;
};

Result<std::unique_ptr<Awaited<Reply>>> Pool::Inside::beginPing(std::string_view id) {
  Call call = TRY(Call::begin(*this));
  Vm vm = TRY(leased(id));
  const std::uint64_t nonce = randomNonce();
  const TimePoint start = now();
  auto pong = TRY(vm->beginPing(nonce, deadlineIn(settings_.limits.reply)));
  if (pong == nullptr) return nullptr;
  return std::make_unique<Spoken<agent::Pong, Reply>>(
      std::move(call), std::move(vm), std::move(pong),
      [this, nonce, start](const agent::Pong& said) { return replyOf(said, nonce, start); });
}

Result<std::unique_ptr<Awaited<agent::Ran>>> Pool::Inside::beginExec(std::string_view id, const agent::Run& run) {
  Call call = TRY(Call::begin(*this));
  Vm vm = TRY(leased(id));
  const Deadline deadline = TRY(deadlineOf(run));
  auto ran = TRY(vm->beginRun(run, deadline));
  if (ran == nullptr) return nullptr;
  return std::make_unique<Spoken<agent::Ran, agent::Ran>>(
      std::move(call), std::move(vm), std::move(ran), [](agent::Ran outcome) -> Result<agent::Ran> { return outcome; });
}

Result<std::unique_ptr<Awaited<GuestConnection>>> Pool::Inside::beginConnect(std::string_view id, std::uint16_t port) {
  Call call = TRY(Call::begin(*this));
  Vm vm = TRY(leased(id));
  auto connecting = TRY(vm->beginConnect(port, deadlineIn(settings_.limits.reply)));
  return std::make_unique<Spoken<GuestConnection, GuestConnection>>(
      std::move(call), std::move(vm), std::move(connecting),
      [](GuestConnection connection) -> Result<GuestConnection> { return connection; });
}

Error Pool::Inside::explained(std::string_view id, Error error) {
  const Result<Call> call = Call::begin(*this);
  if (!call) return error;
  const Result<Vm> vm = leased(id);
  return vm ? (*vm)->explained(std::move(error)) : error;
}

}  // namespace qm::pool
