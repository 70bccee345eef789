#include "vmm/os/tap.h"

#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "vmm/os/ioctl.h"

namespace qm {

namespace {

// What dev_valid_name() takes, and no '%': TUNSETIFF would take it for a pattern and choose a name itself.
bool isInterfaceName(std::string_view name) {
  if (name.empty() || name.size() >= IFNAMSIZ || name == "." || name == "..") return false;
  return std::ranges::all_of(name, [](char c) { return c > ' ' && c != '/' && c != ':' && c != '%' && c != '\x7f'; });
}

Status attach(const FileDescriptor& file, const std::string& name) {
  ifreq request{};
  std::ranges::copy(name, request.ifr_name);
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  const Result<int> attached = callIoctl(file, TUNSETIFF, &request, "TUNSETIFF");
  if (attached.has_value()) return {};
  return Error(Remedy::fixInput, attached.error().sentence());  // the name, or the caller's rights
}

}  // namespace

Result<FileDescriptor> openTap(const std::string& name) {
  if (!isInterfaceName(name)) {
    return Error(Remedy::fixInput,
                 "\"" + name + "\" is no interface's name: 1 to 15 characters, no space, '/', ':' or '%'");
  }
  const std::string step = "opening tap " + name;
  FileDescriptor file = TRY(openFile("/dev/net/tun", OpenMode::readWrite).during(step));
  TRY(attach(file, name).during(step));
  // A persistent tap keeps what its last user set.
  int headerBytes = kTapHeaderBytes;
  TRY(callIoctl(file, TUNSETVNETHDRSZ, &headerBytes, "TUNSETVNETHDRSZ").during(step));
  TRY(callIoctl(file, TUNSETOFFLOAD, 0UL, "TUNSETOFFLOAD").during(step));
  TRY(setNonBlocking(file).during(step));
  return file;
}

Result<std::pair<FileDescriptor, FileDescriptor>> frameSocketPair() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
    return systemError("socketpair", errno);
  return std::pair(FileDescriptor(ends[0]), FileDescriptor(ends[1]));
}

Result<std::size_t> readFrame(const FileDescriptor& tap, std::span<std::byte> into) {
  return readSome(tap, into);
}

Status writeFrame(const FileDescriptor& tap, std::span<const std::byte> frame) {
  for (;;) {
    if (::write(tap.get(), frame.data(), frame.size()) >= 0) return {};
    if (errno != EINTR) return systemError("write a frame", errno);
  }
}

}  // namespace qm
