#include "snapshot/store/sha256.h"

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>

#include "vmm/result/check.h"

namespace qm::snapshot {

namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 20;

// libcrypto's calls fail for want of memory or of the algorithm only: neither is an error that a caller could mend.
class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    CHECK(context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  }
  void add(std::span<const std::byte> bytes) {
    CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }
  std::string finish() {
    std::array<unsigned char, 32> digest{};
    CHECK(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
    return fmt::format("{:02x}", fmt::join(digest, ""));
  }

 private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

}  // namespace

std::string sha256(std::span<const std::byte> bytes) {
  Sha256 sum;
  sum.add(bytes);
  return sum.finish();
}

Result<FileDigest> digestFile(const std::filesystem::path& path) {
  const FileDescriptor file = TRY(openFile(path, OpenMode::read));
  return digestFile(file, path.native());
}

Result<FileDigest> digestFile(const FileDescriptor& file, std::string_view name) {
  const std::uint64_t size = TRY(fileBytes(file));
  std::vector<std::byte> buffer(kReadBytes);
  Sha256 sum;
  for (std::uint64_t at = 0; at < size; at += buffer.size()) {
    const auto piece = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), size - at));
    TRY(readAt(file, at, piece).during(fmt::format("reading {}", name)));
    sum.add(piece);
  }
  return FileDigest{.bytes = size, .sha256 = sum.finish()};
}

}  // namespace qm::snapshot
