// The daemon's REST interface as the commands use it: JSON there and back; a problem document becomes an error.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/client/http_client.h"
#include "vmm/result/result.h"

namespace qm::cli {

// What `quickmatch acquire` shows and the other commands take: a lease's id and its token, joined by a colon.
struct LeaseHandle {
  std::string id;
  std::string token;
  bool operator==(const LeaseHandle&) const = default;
};
Result<LeaseHandle> leaseHandle(std::string_view text);
std::string text(const LeaseHandle& handle);

class DaemonApi {
 public:
  explicit DaemonApi(const std::filesystem::path& socket) : client_(socket), socket_(socket) {}

  // The answer's document; null when there is none. `token` empty: none is sent.
  Result<boost::json::value> ask(std::string_view method, const std::string& target,
                                 const boost::json::value& body = nullptr, const std::string& token = {});
  Result<boost::json::value> askOfLease(std::string_view method, const LeaseHandle& lease, std::string_view what,
                                        const boost::json::value& body = nullptr);

  const std::filesystem::path& socket() const { return socket_; }

 private:
  HttpClient client_;
  std::filesystem::path socket_;
};

}  // namespace qm::cli
