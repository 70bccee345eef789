// What the daemon's own metrics say of VMs that are gone: what each took, from its process's beginning to its end, of
// which no request sees more than a part. Values.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

namespace qm::bench {

// Sums by family and label: "cpu_seconds.load", "instructions.renew", "private_bytes", "exits.mmio_write", "gone.read"
// … of quickmatch_vm_*_total and quickmatch_vms_gone_total.
using VmTotals = std::map<std::string, double>;

VmTotals readVmTotals(std::string_view metrics);
// What came between two scrapes.
VmTotals between(const VmTotals& earlier, const VmTotals& later);

// To each VM that was gone meanwhile, whose page could be read. Empty where there was none.
std::string vmTable(const VmTotals& totals);
void addVmFlat(const VmTotals& totals, const std::string& prefix, boost::json::object& flat);

}  // namespace qm::bench
