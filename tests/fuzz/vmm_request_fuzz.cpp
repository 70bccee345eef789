// Requests to the VMM: "METHOD TARGET\nBODY". Also the body alone as a configuration file.
#include <cstdint>
#include <string_view>

#include "api/vmm/request/config_file.h"
#include "api/vmm/request/parse.h"
#include "vmm/result/check.h"

namespace {

// Up to `separator`, which is dropped with it from `rest`.
std::string_view takeUntil(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view taken = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  return taken;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string_view method = takeUntil(rest, ' ');
  const std::string_view target = takeUntil(rest, '\n');
  const auto request = qm::vmm::parseRequest(method, target, rest);
  if (!request.has_value()) CHECK(!request.error().text().empty());
  static_cast<void>(qm::vmm::readConfigFile(rest).has_value());
  return 0;
}
