// A request and its answer as the handlers see them: values, whatever carries them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vmm/os/file_descriptor.h"

namespace qm::rest {

struct Request {
  std::string method;  // "GET"
  std::string target;  // "/v1/leases/lease-12/ping"
  std::string body;
  std::string authorization;  // the header's value; empty: there is none
  // The header that a browser adds to what a page of elsewhere sends; empty: there is none.
  std::string origin;
  std::string upgrade;  // the header's value; empty: there is none, or the request is not of HTTP/1.1
};

struct Response {
  std::uint16_t status = 200;
  std::string contentType = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // beyond Content-Type and Content-Length
  // Called where nobody was there any more to take it; empty: that changes nothing.
  std::function<void()> onUndelivered;
  // Held until the answer is written, or is not going to be; what its end does is then done.
  std::shared_ptr<const void> afterwards = nullptr;
  // Of a 101: what the connection is relayed to from then on, a stream socket that does not block.
  std::shared_ptr<const FileDescriptor> relayed = nullptr;
};

// What the path's {names} stood for.
using PathValues = std::map<std::string, std::string, std::less<>>;

// The longest body that is read, in bytes: an exec's stdin, in base64, fits.
inline constexpr std::uint64_t kLongestBody = 16ULL << 20U;

}  // namespace qm::rest
