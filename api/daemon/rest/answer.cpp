#include "api/daemon/rest/answer.h"

#include <boost/json/serialize.hpp>

#include "api/json/fields.h"

namespace qm::rest {

Response jsonResponse(std::uint16_t status, const boost::json::value& document) {
  return {.status = status, .body = boost::json::serialize(document)};
}

Response emptyResponse() {
  return {.status = 204, .contentType = ""};
}

Answered<boost::json::value> bodyOf(const Request& request) {
  return understood(parseJson(request.body));
}

}  // namespace qm::rest
