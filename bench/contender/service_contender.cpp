#include "bench/contender/service_contender.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "api/json/fields.h"
#include "bench/load/lease_talk.h"
#include "bench/load/process_usage.h"

namespace qm::bench {

namespace {

using boost::json::object;

std::vector<std::byte> bytesOf(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

class ServiceGuest final : public Guest {
 public:
  ServiceGuest(Service& service, GrantedLease lease, std::set<pid_t>& known)
      : service_(service), lease_(std::move(lease)), known_(known) {}
  ~ServiceGuest() override {
    if (!lease_.id.empty()) static_cast<void>(end());
  }

  Result<pid_t> pid() override {
    std::vector<pid_t> fresh;
    std::ranges::set_difference(descendantsOf(service_.pid()), known_, std::back_inserter(fresh));
    if (fresh.size() != 1)
      return Error(Remedy::giveUp, fmt::format("which process is the guest's? {} are new", fresh.size()));
    known_.insert(fresh.front());
    return fresh.front();
  }

  // The lease was granted: there is one who answers.
  Result<Clock::time_point> waitForReply(std::chrono::milliseconds /*pause*/) override {
    const HttpAnswer answer = TRY(about("GET", "/ping", {}));
    const Clock::time_point replied = Clock::now();
    TRY(readPing(answer.body));
    return replied;
  }

  Result<agent::Ran> run(const agent::Run& command, Clock::time_point /*deadline*/) override {
    boost::json::array argv;
    for (const std::string& word : command.argv) argv.emplace_back(word);
    const object body{{"argv", std::move(argv)}, {"cwd", command.cwd}, {"output_limit", command.outputLimit}};
    const HttpAnswer answer = TRY(about("POST", "/exec", boost::json::serialize(body)));
    const boost::json::value value = TRY(parseJson(answer.body));
    Fields fields = TRY(Fields::of(value));
    agent::Ran ran;
    ran.exitCode = static_cast<std::int32_t>(TRY(fields.number("exit_code", {.most = INT32_MAX})));
    ran.signal = static_cast<std::int32_t>(TRY(fields.number("signal", {.most = INT32_MAX})));
    ran.out = bytesOf(TRY(fields.text("stdout")));
    ran.err = bytesOf(TRY(fields.text("stderr")));
    return ran;
  }

  Result<std::optional<std::uint64_t>> end() override {
    TRY(about("DELETE", "", {}));
    lease_ = {};
    return std::nullopt;
  }

 private:
  Result<HttpAnswer> about(std::string_view method, std::string_view what, std::string body) {
    return service_.send({.method = method,
                          .target = fmt::format("/v1/leases/{}{}", lease_.id, what),
                          .body = std::move(body),
                          .headers = {{"Authorization", "Bearer " + lease_.token}}});
  }

  Service& service_;
  GrantedLease lease_;
  std::set<pid_t>& known_;
};

}  // namespace

ServiceContender::ServiceContender(Service& service, pool::Road road, std::string prefix, std::string title)
    : service_(service), road_(road), prefix_(std::move(prefix)), title_(std::move(title)) {
  for (const pid_t pid : descendantsOf(service_.pid())) known_.insert(pid);
}

Result<std::unique_ptr<Guest>> ServiceContender::lease(pool::Road road) {
  constexpr std::uint64_t kTtlS = 3600;  // longer than anybody watches an idle clone
  const LeaseWish wish{.road = road, .ttlS = kTtlS};
  const HttpAnswer answer =
      TRY(service_.send({.method = "POST", .target = "/v1/leases", .body = acquireBody(wish), .headers = {}}));
  GrantedLease lease = TRY(readGrant(answer.body));
  if (lease.road != road)
    return Error(Remedy::giveUp,
                 fmt::format("asked for the road {}, had by {}", pool::name(road), pool::name(lease.road)));
  return std::make_unique<ServiceGuest>(service_, std::move(lease), known_);
}

Result<std::unique_ptr<Guest>> ServiceContender::boot(const Recipe& /*recipe*/) {
  return lease(pool::Road::boot);
}

Status ServiceContender::prepare(const Recipe& /*recipe*/) {
  return {};
}

Result<std::unique_ptr<Guest>> ServiceContender::restore() {
  return lease(road_);
}

}  // namespace qm::bench
