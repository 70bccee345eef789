#include "api/daemon/vm/vm_folder.h"

#include <algorithm>
#include <limits>
#include <system_error>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "api/json/fields.h"
#include "vmm/os/untrusted_file.h"

namespace qm {

namespace {

constexpr std::uint64_t kLongestRecord = 4096;

// Changes with each start of the host, and so tells whether ticks and pids mean anything still.
Result<std::string> bootId() {
  std::string id = TRY(readKernelFile("/proc/sys/kernel/random/boot_id"));
  while (id.ends_with('\n')) id.pop_back();
  return id;
}

struct ProcessRecord {
  pid_t pid = 0;
  std::uint64_t startTicks = 0;
  std::string bootId;
};

Result<ProcessRecord> readRecord(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = TRY(readWholeFile(path, kLongestRecord));
  const boost::json::value value = TRY(parseJson({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  Fields fields = TRY(Fields::of(value));
  TRY(fields.number("version", {.least = 1, .most = 1}));
  ProcessRecord record;
  constexpr std::uint64_t kMostPid = std::numeric_limits<pid_t>::max();
  record.pid = static_cast<pid_t>(TRY(fields.number("pid", {.least = 2, .most = kMostPid})));
  record.startTicks = TRY(fields.number("start_ticks", {}));
  record.bootId = TRY(fields.text("boot_id"));
  return record;
}

}  // namespace

std::string vsockName(std::uint64_t guest) {
  return guest == 0 ? std::string(kVsockName) : fmt::format("vsock-{}.sock", guest);
}

Result<VmFolder> makeVmFolder(const std::filesystem::path& vms, std::string_view id) {
  VmFolder folder{.path = vms / id};
  std::error_code failure;
  const bool isNew = std::filesystem::create_directory(folder.path, failure);
  if (failure) return systemError("mkdir " + folder.path.string(), failure.value());
  if (!isNew) return Error(Remedy::giveUp, folder.path.string() + " is there already");
  std::filesystem::permissions(folder.path, std::filesystem::perms::owner_all, failure);
  return folder;
}

void removeVmFolder(const VmFolder& folder) {
  std::error_code ignored;
  std::filesystem::remove_all(folder.path, ignored);
  std::filesystem::remove(folder.record(), ignored);
}

Status rememberProcess(const VmFolder& folder, pid_t pid) {
  const std::uint64_t ticks = TRY(processStartTicks(pid));
  const std::string boot = TRY(bootId());
  const std::string text = boost::json::serialize(
      boost::json::object{{"version", 1}, {"pid", pid}, {"start_ticks", ticks}, {"boot_id", boot}});
  // No fsync: after a crash of the host there is no process to find either.
  const std::filesystem::path aside = folder.record().native() + ".new";
  const FileDescriptor file = TRY(openFile(aside, OpenMode::create));
  TRY(writeAll(file, std::as_bytes(std::span(text))));
  std::error_code failure;
  std::filesystem::rename(aside, folder.record(), failure);
  if (failure) return systemError("rename " + aside.string(), failure.value());
  return {};
}

Result<std::optional<Process>> findProcess(const VmFolder& folder) {
  const std::filesystem::path path = folder.record();
  if (!std::filesystem::exists(path)) return std::optional<Process>();
  const ProcessRecord record = TRY(readRecord(path).during("reading " + path.string()));
  const std::string boot = TRY(bootId());
  if (record.bootId != boot) return std::optional<Process>();
  Result<Process> process = Process::find(record.pid);
  if (!process.has_value()) return std::optional<Process>();
  // Read after the descriptor is had: if the ticks fit now, the descriptor means the process of the record.
  const Result<std::uint64_t> ticks = processStartTicks(record.pid);
  if (!ticks.has_value() || *ticks != record.startTicks) return std::optional<Process>();
  return std::optional(std::move(process).value());
}

std::string lastWords(const VmFolder& folder) {
  constexpr std::uint64_t kWords = 300;
  const Result<FileDescriptor> file = openUntrusted(folder.console());
  if (!file.has_value()) return {};
  const std::uint64_t size = fileBytes(*file).value_or(0);
  std::string text(std::min(size, kWords), '\0');
  if (!readAt(*file, size - text.size(), std::as_writable_bytes(std::span(text))).has_value()) return {};
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  // What a guest prints is hostile: nothing of it may steer a terminal or forge a line.
  for (char& character : text) {
    if (character == '\n') character = '|';
    if (character < ' ' || character > '~') character = '.';
  }
  return text;
}

}  // namespace qm
