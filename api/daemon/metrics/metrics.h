// Counts what the pool tells, and shows it as Prometheus reads it.
//
// Histograms stand by road and phase, not by template: their number of series is fixed. Counters stand by template.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/daemon/egress/egress_proxy.h"
#include "api/daemon/vm/vm_ending.h"
#include "api/daemon/vm/vm_use.h"
#include "pool/observer.h"
#include "pool/pool.h"

namespace qm {

// What goes on in guests' networks.
struct NetworkUse {
  std::uint32_t readySlots = 0;  // made ahead
  EgressCounts egress;
};

// Threads: any.
class Metrics final : public pool::PoolObserver {
 public:
  Metrics();
  ~Metrics() override;

  void acquired(std::string_view templateName, pool::Road road, const pool::Phases& phases) override;
  void acquireFailed(std::string_view templateName, const Error& error) override;
  void cloneFailed(std::string_view templateName, pool::Phase phase, const Error& error) override;
  void resetFailed(std::string_view templateName, pool::Phase phase, const Error& error) override;
  void cloneReady(std::string_view templateName, const pool::Phases& phases) override;
  void missed(std::string_view templateName, pool::Miss miss) override;
  void leaseEnded(std::string_view templateName, pool::LeaseEnd end) override;
  void tornDown(std::chrono::microseconds took) override;
  void templateBuilt(std::string_view templateName, std::chrono::microseconds took) override;
  void templateFailed(std::string_view templateName, const Error& error) override;

  // A VM that was renewed once is gone.
  void vmGone(const VmUse& use);
  // A VM's process was reaped.
  void vmEnded(VmEnd how);

  // Text format 0.0.4, with gauges of how the pools and network slots stand.
  std::string text(const std::vector<pool::PoolView>& pools, std::uint32_t blanks, const pool::Load& load,
                   const NetworkUse& network = {});

 private:
  class Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace qm
