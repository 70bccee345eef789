#include "api/daemon/metrics/metrics.h"

#include <array>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "vmm/version/version.h"

namespace qm {

namespace {

namespace prom = prometheus;
using Counters = prom::Family<prom::Counter>;
using Gauges = prom::Family<prom::Gauge>;
using Histograms = prom::Family<prom::Histogram>;

// Seconds. A warm hit takes tens of microseconds, a boot in the lab seconds.
const prom::Histogram::BucketBoundaries kLatencies{0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.003, 0.005,
                                                   0.01,   0.02,    0.05,   0.1,   0.125, 0.25,  0.5,
                                                   1.0,    2.5,     5.0,    10.0,  30.0};

const prom::Histogram::BucketBoundaries kBuilds{0.5, 1, 2.5, 5, 10, 30, 60, 300};

// By slot::ExitKind.
constexpr std::array<const char*, slot::kExitKinds> kExits{"mmio_read",  "mmio_write",  "port_read",
                                                           "port_write", "interrupted", "last"};

double seconds(std::chrono::microseconds time) {
  return std::chrono::duration<double>(time).count();
}

std::string_view name(Remedy remedy) {
  switch (remedy) {
    case Remedy::retry:
      return "retry";
    case Remedy::fixInput:
      return "fix_input";
    case Remedy::giveUp:
      return "give_up";
  }
  return "unknown";
}

}  // namespace

class Metrics::Inside {
 public:
  void observe(std::string_view road, const pool::Phases& phases) {
    for (const auto& [phase, took] : phases.entries()) histogram(road, pool::name(phase)).Observe(seconds(took));
    histogram(road, "total").Observe(seconds(phases.total()));
  }

  std::string text(const std::vector<pool::PoolView>& pools, std::uint32_t blanks, const pool::Load& load,
                   const NetworkUse& network) {
    // A registry of this scrape alone: no gauge stays of a template that went away.
    prom::Registry now;
    Gauges& clones = prom::BuildGauge().Name("quickmatch_clones").Help("VMs by state").Register(now);
    Gauges& wanted = prom::BuildGauge().Name("quickmatch_clones_wanted").Help("Clones to be kept ready").Register(now);
    for (const pool::PoolView& view : pools) {
      clones.Add({{"template", view.templateName}, {"state", "ready"}}).Set(view.ready);
      clones.Add({{"template", view.templateName}, {"state", "making"}}).Set(view.making);
      clones.Add({{"template", view.templateName}, {"state", "leased"}}).Set(view.leased);
      wanted.Add({{"template", view.templateName}}).Set(view.wanted);
    }
    prom::BuildGauge().Name("quickmatch_blanks").Help("Processes without a guest").Register(now).Add({}).Set(blanks);
    Gauges& busy = prom::BuildGauge()
                       .Name("quickmatch_load")
                       .Help("Tenants in line, VMs being made, VMs killed and not cleared away yet")
                       .Register(now);
    busy.Add({{"of", "in_line"}}).Set(load.inLine);
    busy.Add({{"of", "making"}}).Set(load.making);
    busy.Add({{"of", "ending"}}).Set(load.ending);
    prom::BuildGauge()
        .Name("quickmatch_network_slots_ready")
        .Help("Network slots made ahead")
        .Register(now)
        .Add({})
        .Set(network.readySlots);
    // Counted elsewhere, and told whole with each scrape.
    Counters& egress = prom::BuildCounter()
                           .Name("quickmatch_egress_total")
                           .Help("Connections that guests asked for, by outcome")
                           .Register(now);
    egress.Add({{"outcome", "connected"}}).Increment(static_cast<double>(network.egress.connected));
    egress.Add({{"outcome", "refused"}}).Increment(static_cast<double>(network.egress.refused));
    egress.Add({{"outcome", "failed"}}).Increment(static_cast<double>(network.egress.failed));
    prom::BuildGauge()
        .Name("quickmatch_build_info")
        .Help("1; the version is the label")
        .Register(now)
        .Add({{"version", kVersion}})
        .Set(1);
    std::vector<prom::MetricFamily> families = registry_.Collect();
    for (prom::MetricFamily& family : now.Collect()) families.push_back(std::move(family));
    return prom::TextSerializer().Serialize(families);
  }

 private:
  prom::Registry registry_;

 public:
  Counters& acquired = counters("quickmatch_acquired_total", "Leases granted, by template and road");
  Counters& acquireFailed = counters("quickmatch_acquire_failed_total", "Acquires that got no VM, by remedy");
  Counters& cloneFailed = counters("quickmatch_clone_failed_total", "Clones destroyed before hand-over, by phase");
  Counters& resetFailed = counters("quickmatch_reset_failed_total", "Used VMs destroyed amid a reset, by phase");
  Counters& cloneReady = counters("quickmatch_clone_ready_total", "Clones that became ready");
  Counters& missed = counters("quickmatch_missed_total", "Acquires for which no clone was ready, by cause");
  Counters& leaseEnded = counters("quickmatch_lease_ended_total", "Leases ended, by how");
  Counters& templateBuilt = counters("quickmatch_template_built_total", "Snapshots made");
  Counters& templateFailed = counters("quickmatch_template_failed_total", "Snapshots that could not be made");
  Counters& vmsGone = counters("quickmatch_vms_gone_total", "VMs that were renewed once and are gone, by slot page");
  Counters& vmEnded = counters("quickmatch_vm_ended_total", "Processes of VMs, blanks among them, that ended, by how");
  Counters& vmCpu = counters("quickmatch_vm_cpu_seconds_total", "CPU that VMs which are gone took, by stretch");
  Counters& vmFaults = counters("quickmatch_vm_faults_total", "Page faults of VMs that are gone, by stretch");
  Counters& vmInstructions = counters("quickmatch_vm_instructions_total", "Executed by guests that are gone");
  Counters& vmDecoded = counters("quickmatch_vm_decoded_total", "Instructions that their own VMM had to decode");
  Counters& vmExits = counters("quickmatch_vm_exits_total", "Of vCPUs of VMs that are gone, by kind");
  Counters& vmPrivate = counters("quickmatch_vm_private_bytes_total", "Private memory of VMs when they were killed");
  Counters& vmPopulated = counters("quickmatch_vm_populated_bytes_total", "Guest memory copied before it was asked");
  prom::Histogram& teardownSeconds = prom::BuildHistogram()
                                         .Name("quickmatch_teardown_seconds")
                                         .Help("From the kill of a VM until nothing is left of it")
                                         .Register(registry_)
                                         .Add({}, kLatencies);
  prom::Histogram& buildSeconds = prom::BuildHistogram()
                                      .Name("quickmatch_template_build_seconds")
                                      .Help("From a recipe to a verified snapshot")
                                      .Register(registry_)
                                      .Add({}, kBuilds);

 private:
  Counters& counters(const char* family, const char* help) {
    return prom::BuildCounter().Name(family).Help(help).Register(registry_);
  }
  prom::Histogram& histogram(std::string_view road, std::string_view phase) {
    return acquire_.Add({{"road", std::string(road)}, {"phase", std::string(phase)}}, kLatencies);
  }

  Histograms& acquire_ = prom::BuildHistogram()
                             .Name("quickmatch_phase_seconds")
                             .Help("Phases of a VM's road (road: of the lease; refill: of clones made ahead)")
                             .Register(registry_);
};

Metrics::Metrics() : inside_(std::make_unique<Inside>()) {}
Metrics::~Metrics() = default;

void Metrics::acquired(std::string_view templateName, pool::Road road, const pool::Phases& phases) {
  inside_->acquired.Add({{"template", std::string(templateName)}, {"road", std::string(pool::name(road))}}).Increment();
  inside_->observe(pool::name(road), phases);
}

void Metrics::acquireFailed(std::string_view templateName, const Error& error) {
  inside_->acquireFailed.Add({{"template", std::string(templateName)}, {"remedy", std::string(name(error.remedy()))}})
      .Increment();
}

void Metrics::cloneFailed(std::string_view templateName, pool::Phase phase, const Error&) {
  inside_->cloneFailed.Add({{"template", std::string(templateName)}, {"phase", std::string(pool::name(phase))}})
      .Increment();
}

void Metrics::resetFailed(std::string_view templateName, pool::Phase phase, const Error&) {
  inside_->resetFailed.Add({{"template", std::string(templateName)}, {"phase", std::string(pool::name(phase))}})
      .Increment();
}

void Metrics::cloneReady(std::string_view templateName, const pool::Phases& phases) {
  inside_->cloneReady.Add({{"template", std::string(templateName)}}).Increment();
  inside_->observe("refill", phases);
}

void Metrics::missed(std::string_view templateName, pool::Miss miss) {
  inside_->missed.Add({{"template", std::string(templateName)}, {"cause", std::string(pool::name(miss))}}).Increment();
}

void Metrics::tornDown(std::chrono::microseconds took) {
  inside_->teardownSeconds.Observe(seconds(took));
}

void Metrics::leaseEnded(std::string_view templateName, pool::LeaseEnd end) {
  inside_->leaseEnded.Add({{"template", std::string(templateName)}, {"end", std::string(pool::name(end))}}).Increment();
}

void Metrics::templateBuilt(std::string_view templateName, std::chrono::microseconds took) {
  inside_->templateBuilt.Add({{"template", std::string(templateName)}}).Increment();
  inside_->buildSeconds.Observe(seconds(took));
}

void Metrics::templateFailed(std::string_view templateName, const Error&) {
  inside_->templateFailed.Add({{"template", std::string(templateName)}}).Increment();
}

void Metrics::vmEnded(VmEnd how) {
  inside_->vmEnded.Add({{"how", std::string(name(how))}}).Increment();
}

void Metrics::vmGone(const VmUse& use) {
  inside_->vmsGone.Add({{"slot_page", use.isRefused ? "refused" : "read"}}).Increment();
  if (use.privateBytes) inside_->vmPrivate.Add({}).Increment(static_cast<double>(*use.privateBytes));
  for (const VmStretch stretch : kVmStretches) {
    const prom::Labels label{{"stretch", std::string(name(stretch))}};
    const auto at = static_cast<std::size_t>(stretch);
    if (use.cpu[at]) inside_->vmCpu.Add(label).Increment(std::chrono::duration<double>(*use.cpu[at]).count());
    if (use.faults[at]) inside_->vmFaults.Add(label).Increment(static_cast<double>(*use.faults[at]));
  }
  if (use.isRefused) return;
  const auto addWork = [&](const char* stretch, const GuestWork& work) {
    inside_->vmInstructions.Add({{"stretch", stretch}}).Increment(static_cast<double>(work.instructions));
    inside_->vmDecoded.Add({{"stretch", stretch}}).Increment(static_cast<double>(work.decoded));
  };
  addWork("renew", use.renew);
  addWork("use", use.use);
  constexpr std::uint64_t kPage = 4096;
  inside_->vmPopulated.Add({}).Increment(static_cast<double>(use.populatedPages * kPage));
  for (std::size_t kind = 0; kind < use.exits.size(); ++kind)
    inside_->vmExits.Add({{"kind", kExits[kind]}}).Increment(static_cast<double>(use.exits[kind]));
}

std::string Metrics::text(const std::vector<pool::PoolView>& pools, std::uint32_t blanks, const pool::Load& load,
                          const NetworkUse& network) {
  return inside_->text(pools, blanks, load, network);
}

}  // namespace qm
