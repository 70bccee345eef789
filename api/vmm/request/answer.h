// What a request is answered: Firecracker's 200 with JSON, 204, or 400 with a fault_message.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

namespace qm::vmm {

struct Answer {
  std::uint16_t status = 204;
  std::string body;  // JSON; empty: none
  bool operator==(const Answer&) const = default;
};

Answer found(const boost::json::object& body);
Answer fault(std::string_view sentence);

}  // namespace qm::vmm
