#include "api/vmm/request/answer.h"

#include <boost/json/serialize.hpp>

namespace qm::vmm {

Answer found(const boost::json::object& body) {
  return {.status = 200, .body = boost::json::serialize(body)};
}

Answer fault(std::string_view sentence) {
  return {.status = 400, .body = boost::json::serialize(boost::json::object{{"fault_message", sentence}})};
}

}  // namespace qm::vmm
