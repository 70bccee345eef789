#include "api/vmm/request/config_file.h"

#include <fmt/format.h>

#include "api/json/fields.h"
#include "api/vmm/request/bodies.h"

namespace qm::vmm {

namespace {

using boost::json::value;

class Collector {
 public:
  explicit Collector(Fields& fields) : fields_(fields) {}

  template <class Read>
  Status one(std::string_view name, Read read) {
    const value* body = fields_.find(name);
    if (body != nullptr) requests_.emplace_back(TRY(read(*body).during(name)));
    return {};
  }
  template <class Read>
  Status each(std::string_view name, Read read) {
    const value* bodies = fields_.find(name);
    if (bodies == nullptr) return {};
    if (!bodies->is_array()) return Error(Remedy::fixInput, fmt::format("\"{}\" must be an array", name));
    for (const value& body : bodies->get_array()) requests_.emplace_back(TRY(read(body).during(name)));
    return {};
  }
  std::vector<Request> take() { return std::move(requests_); }

 private:
  Fields& fields_;
  std::vector<Request> requests_;
};

}  // namespace

Result<std::vector<Request>> readConfigFile(std::string_view text) {
  const value json = TRY(parseJson(text));
  Fields fields = TRY(Fields::of(json));
  if (!fields.has("boot-source")) return Error(Remedy::fixInput, "the field \"boot-source\" is missing");
  Collector collector(fields);
  TRY(collector.one("boot-source", readBootFiles));
  TRY(collector.one("machine-config", readShape));
  TRY(collector.each("drives", readDrive));
  TRY(collector.each("network-interfaces", readNet));
  TRY(collector.one("vsock", readVsock));
  TRY(collector.one("entropy", readEntropy));
  TRY(fields.finish());
  return collector.take();
}

}  // namespace qm::vmm
