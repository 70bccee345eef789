#include "pool/shelf/template_record.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "vmm/os/file_descriptor.h"
#include "vmm/text/number.h"

namespace qm::pool {
namespace {

namespace json = boost::json;
constexpr std::int64_t kVersion = 1;
constexpr std::uint64_t kLongestRecord = 4096;

Error refused(std::string_view what) {
  return {Remedy::fixInput, fmt::format("the template's record {}: build the template again", what)};
}

// A number of 64 bits does not survive every reader of JSON, so it is text.
Result<std::uint64_t> parseNonce(std::string_view text) {
  const auto nonce = numberFrom<std::uint64_t>(text, 16);
  if (!nonce) return refused("has a guest_nonce that is no hexadecimal number");
  return *nonce;
}

Result<std::string> textOf(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return refused(fmt::format("has no text \"{}\"", name));
  return std::string(value->get_string());
}

bool isFolderName(std::string_view name) {
  return !name.empty() && !name.starts_with('.') && !name.contains('/');
}

}  // namespace

std::string formatRecord(const TemplateRecord& record) {
  return json::serialize(json::object{{"version", kVersion},
                                      {"recipe_sha256", record.recipeSha256},
                                      {"snapshot", record.snapshot},
                                      {"guest_nonce", fmt::format("{:016x}", record.guestNonce)}});
}

Result<TemplateRecord> parseRecord(std::string_view text) {
  std::error_code failed;
  const json::value value = json::parse(json::string_view(text.data(), text.size()), failed);
  if (failed || !value.is_object()) return refused("is no JSON object");
  const json::object& object = value.get_object();
  const json::value* version = object.if_contains("version");
  if (version == nullptr || !version->is_int64() || version->get_int64() != kVersion) {
    return refused("is of another version");
  }
  TemplateRecord record;
  record.recipeSha256 = TRY(textOf(object, "recipe_sha256"));
  record.snapshot = TRY(textOf(object, "snapshot"));
  if (!isFolderName(record.snapshot)) return refused("names a snapshot that is none");
  const std::string nonce = TRY(textOf(object, "guest_nonce"));
  record.guestNonce = TRY(parseNonce(nonce));
  return record;
}

Status writeRecord(const std::filesystem::path& file, const TemplateRecord& record) {
  const std::filesystem::path aside = file.native() + ".new";
  const std::string text = formatRecord(record);
  {
    const FileDescriptor written = TRY(openFile(aside, OpenMode::create));
    TRY(writeAll(written, std::as_bytes(std::span(text))).during("writing " + aside.native()));
    TRY(synchronise(written));
  }
  std::error_code failed;
  std::filesystem::rename(aside, file, failed);
  if (failed) return systemError("rename " + aside.native(), failed.value());
  const FileDescriptor folder = TRY(openFile(file.parent_path(), OpenMode::read));
  return synchronise(folder);
}

Result<TemplateRecord> readRecord(const std::filesystem::path& file) {
  const std::vector<std::byte> bytes = TRY(readWholeFile(file, kLongestRecord));
  std::string text;
  for (const std::byte byte : bytes) text += std::to_integer<char>(byte);
  return parseRecord(text);
}

}  // namespace qm::pool
