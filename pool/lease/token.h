// The names of leases and the secrets that go with them.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace qm::pool {

// 16 hexadecimal digits after "lease-"; safe in a URL and a file name. No secret.
using LeaseId = std::string;
LeaseId freshLeaseId();

// 256 random bits as 64 hexadecimal digits: who has it may use the lease.
using Token = std::string;
Token freshToken();

// What the book keeps of a token: its SHA-256, so that a copy of the book opens nothing.
class TokenDigest {
 public:
  explicit TokenDigest(std::string_view token);
  // Takes the same time wherever the two differ.
  bool matches(std::string_view token) const;

 private:
  std::array<std::byte, 32> digest_;
};

}  // namespace qm::pool
