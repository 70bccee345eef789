// A quickmatchd with its VMs in jails, as a user has it: each guest is a lease, asked for and asked over REST. A
// restore has all that the daemon prepares once for a template: its snapshot in sealed memory, the pages that clones
// write, the code that they run. The reply is the agent's to a ping that the daemon passes on, after the clone was
// renewed.
#pragma once

#include <sys/types.h>

#include <memory>
#include <set>
#include <string>

#include "bench/contender/contender.h"
#include "bench/load/service.h"
#include "pool/road/road.h"

namespace qm::bench {

class ServiceContender final : public Contender {
 public:
  // `service`, whose template is the only recipe there is, outlives this, and this its guests. `road`: of restores.
  ServiceContender(Service& service, pool::Road road, std::string prefix, std::string title);

  std::string prefix() const override { return prefix_; }
  std::string title() const override { return title_; }
  // Until the pool is full and what is left of ended VMs is gone; not while other guests of the service live.
  Status settle() override { return service_.waitUntilQuiet(); }
  // `recipe` is the service's.
  Result<std::unique_ptr<Guest>> boot(const Recipe& recipe) override;
  // The service has done it.
  Status prepare(const Recipe& recipe) override;
  Result<std::unique_ptr<Guest>> restore() override;

 private:
  Result<std::unique_ptr<Guest>> lease(pool::Road road);

  Service& service_;
  pool::Road road_;
  std::string prefix_, title_;
  std::set<pid_t> known_;  // processes of the service that are no new guest's
};

}  // namespace qm::bench
