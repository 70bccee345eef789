#include "vmm/guest/system/identity.h"

#include <linux/random.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "vmm/guest/system/one_line_file.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/os/ioctl.h"

namespace qm::guest {

Status addEntropy(std::span<const std::byte> bytes) {
  const FileDescriptor pool = TRY(openFile("/dev/urandom", OpenMode::readWrite));
  // rand_pool_info: the bits that are credited, the bytes that follow, the bytes.
  std::vector<int> info(2 + (bytes.size() + sizeof(int) - 1) / sizeof(int));
  info[0] = static_cast<int>(bytes.size() * 8);
  info[1] = static_cast<int>(bytes.size());
  std::memcpy(&info[2], bytes.data(), bytes.size());
  TRY(callIoctl(pool, RNDADDENTROPY, info.data(), "RNDADDENTROPY"));
  TRY(callIoctl(pool, RNDRESEEDCRNG, 0UL, "RNDRESEEDCRNG"));
  return {};
}

Status setWallClock(std::int64_t ns) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const timespec time{.tv_sec = ns / kSecond, .tv_nsec = ns % kSecond};
  if (::clock_settime(CLOCK_REALTIME, &time) < 0) return systemError("clock_settime", errno);
  return {};
}

Status setHostname(const std::string& name) {
  if (::sethostname(name.data(), name.size()) < 0) return systemError("sethostname", errno);
  return writeLine("/etc/hostname", name);
}

Status setMachineId(const std::string& id) {
  return writeLine("/etc/machine-id", id);
}

}  // namespace qm::guest
