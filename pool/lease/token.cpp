#include "pool/lease/token.h"

#include <span>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "pool/random/random_hex.h"
#include "vmm/result/check.h"

namespace qm::pool {
namespace {

constexpr std::size_t kIdBytes = 8;
constexpr std::size_t kTokenBytes = 32;

std::array<std::byte, 32> sha256(std::string_view text) {
  std::array<std::byte, 32> digest;
  unsigned length = 0;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): OpenSSL's bytes are unsigned char
  auto* out = reinterpret_cast<unsigned char*>(digest.data());
  CHECK(EVP_Digest(text.data(), text.size(), out, &length, EVP_sha256(), nullptr) == 1 && length == digest.size());
  return digest;
}

}  // namespace

LeaseId freshLeaseId() {
  return "lease-" + randomHex(kIdBytes);
}

Token freshToken() {
  return randomHex(kTokenBytes);
}

TokenDigest::TokenDigest(std::string_view token) : digest_(sha256(token)) {}

bool TokenDigest::matches(std::string_view token) const {
  const auto other = sha256(token);
  return CRYPTO_memcmp(digest_.data(), other.data(), digest_.size()) == 0;
}

}  // namespace qm::pool
