#include "snapshot/store/manifest.h"

#include <cstdint>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/check.h"

namespace qm::snapshot {

namespace {

namespace json = boost::json;

constexpr std::int64_t kManifestFormat = 1;
constexpr std::uint64_t kMaxManifestBytes = std::uint64_t{64} << 10;

// The digest covers the text with these in the digest's own place, so that every byte of the file is covered, and
// members that a later program adds are too.
constexpr std::string_view kNoDigest = "0000000000000000000000000000000000000000000000000000000000000000";

Error refused(std::string_view what) {
  return {Remedy::fixInput, fmt::format("the snapshot's manifest {}: remove the snapshot and build it again", what)};
}

std::string digestOfText(const std::string& text) {
  return sha256(std::as_bytes(std::span(text)));
}

json::object toJson(const FileDigest& file) {
  return {{"bytes", file.bytes}, {"sha256", file.sha256}};
}

json::object toJson(const Manifest& manifest) {
  json::object images;
  for (const auto& [id, digest] : manifest.provenance.imageSha256) images[id] = digest;
  return {
      {"format", kManifestFormat},
      {"quickmatch_version", manifest.quickmatchVersion},
      {"created", manifest.created},
      {"cpu_template", manifest.provenance.cpuTemplate},
      {"kernel_sha256", manifest.provenance.kernelSha256},
      {"initrd_sha256", manifest.provenance.initrdSha256},
      {"image_sha256", std::move(images)},
      {"files", {{kStateName, toJson(manifest.state)}, {kMemoryName, toJson(manifest.memory)}}},
      {"manifest_sha256", kNoDigest},
  };
}

Result<const json::value*> member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr) return refused(fmt::format("has no \"{}\"", name));
  return value;
}

Result<std::string> text(const json::object& object, std::string_view name) {
  const json::value* value = TRY(member(object, name));
  if (!value->is_string()) return refused(fmt::format("has a \"{}\" that is not a string", name));
  return std::string(value->get_string());
}

Result<const json::object*> object(const json::object& parent, std::string_view name) {
  const json::value* value = TRY(member(parent, name));
  if (!value->is_object()) return refused(fmt::format("has a \"{}\" that is not an object", name));
  return &value->get_object();
}

Result<std::uint64_t> number(const json::object& object, std::string_view name) {
  const json::value* value = TRY(member(object, name));
  json::error_code failed;
  const auto converted = value->to_number<std::uint64_t>(failed);
  if (failed) return refused(fmt::format("has a \"{}\" that is not a count", name));
  return converted;
}

Result<FileDigest> fileDigest(const json::object& files, std::string_view name) {
  const json::object* file = TRY(object(files, name));
  const std::uint64_t bytes = TRY(number(*file, "bytes"));
  return FileDigest{.bytes = bytes, .sha256 = TRY(text(*file, "sha256"))};
}

Result<Manifest> fromJson(const json::object& root) {
  Manifest manifest;
  manifest.quickmatchVersion = TRY(text(root, "quickmatch_version"));
  manifest.created = TRY(text(root, "created"));
  manifest.provenance.cpuTemplate = TRY(text(root, "cpu_template"));
  manifest.provenance.kernelSha256 = TRY(text(root, "kernel_sha256"));
  manifest.provenance.initrdSha256 = TRY(text(root, "initrd_sha256"));
  const json::object* images = TRY(object(root, "image_sha256"));
  for (const auto& image : *images) manifest.provenance.imageSha256[image.key()] = TRY(text(*images, image.key()));
  const json::object* files = TRY(object(root, "files"));
  manifest.state = TRY(fileDigest(*files, kStateName));
  manifest.memory = TRY(fileDigest(*files, kMemoryName));
  return manifest;
}

// The digest that the manifest names, if it is that of its text.
Result<std::string> checkOwnDigest(const json::object& root, std::string_view whole) {
  std::string named = TRY(text(root, "manifest_sha256"));
  const std::size_t place = whole.rfind(named);
  if (named.size() != kNoDigest.size() || place == std::string_view::npos) return refused("has no digest of its own");
  std::string blanked(whole);
  blanked.replace(place, kNoDigest.size(), kNoDigest);
  if (digestOfText(blanked) != named) return refused("does not have its own digest, so it was changed");
  return named;
}

}  // namespace

SealedManifest sealManifest(const Manifest& manifest) {
  std::string text = json::serialize(toJson(manifest)) + "\n";
  std::string digest = digestOfText(text);
  text.replace(text.rfind(kNoDigest), kNoDigest.size(), digest);
  return {.text = std::move(text), .sha256 = std::move(digest)};
}

Result<CheckedManifest> checkManifest(std::string_view text) {
  json::error_code failed;
  const json::value parsed = json::parse(text, failed);
  if (failed || !parsed.is_object()) return refused("is not a JSON object");
  const json::object& root = parsed.get_object();
  const std::uint64_t format = TRY(number(root, "format"));
  if (format != kManifestFormat) return refused(fmt::format("has format {}, and this program reads 1", format));
  std::string digest = TRY(checkOwnDigest(root, text));
  Manifest manifest = TRY(fromJson(root));
  return CheckedManifest{.manifest = std::move(manifest), .sha256 = std::move(digest)};
}

Result<CheckedManifest> readManifest(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kManifestName;
  const std::vector<std::byte> bytes = TRY(readWholeFile(path, kMaxManifestBytes));
  const std::string_view whole(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return checkManifest(whole).during("reading " + path.string());
}

}  // namespace qm::snapshot
