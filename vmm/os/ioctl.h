// ioctl(2) with its name for the error's sentence.
#pragma once

#include <sys/ioctl.h>

#include <cerrno>
#include <string_view>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

// The call's value, 0 or more. `argument` is a number or a pointer to what the request names. Retries EINTR.
template <class Argument>
Result<int> callIoctl(const FileDescriptor& file, unsigned long request, Argument argument, std::string_view name) {
  for (;;) {
    const int value = ::ioctl(file.get(), request, argument);
    if (value >= 0) return value;
    if (errno != EINTR) return systemError(name, errno);
  }
}

}  // namespace qm
