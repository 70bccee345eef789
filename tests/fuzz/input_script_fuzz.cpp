// A script of host input: whatever it is, it is read or refused with the line; what is read keeps the promises of its
// header.
#include <cstdint>
#include <string_view>

#include "api/vmm/script/input_script.h"
#include "vmm/result/check.h"

namespace {

namespace script = qm::vmm::script;

struct Bounds {
  void operator()(const script::Type& type) const {
    CHECK(!type.bytes.empty() && type.bytes.size() <= script::kMostTyped);
  }
  void operator()(const script::Send& send) const {
    CHECK(!send.name.empty() && !send.bytes.empty() && send.bytes.size() <= script::kMostSent);
  }
  void operator()(const script::Save& save) const { CHECK(!save.state.empty() && save.state != save.memory); }
  void operator()(const auto& /*other*/) const {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto lines = script::readScript({reinterpret_cast<const char*>(data), size});
  if (!lines.has_value()) {
    CHECK(lines.error().text().starts_with("line "));
    return 0;
  }
  std::uint64_t lastNs = 0;
  std::size_t lastNumber = 0;
  for (const script::Line& line : *lines) {
    CHECK(line.atNs >= lastNs && line.number > lastNumber);
    lastNs = line.atNs;
    lastNumber = line.number;
    std::visit(Bounds{}, line.action);
  }
  return 0;
}
