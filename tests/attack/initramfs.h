// An initramfs with one program as its init.
#pragma once

#include <filesystem>

namespace qm::test {

// Writes a newc archive (Linux Documentation/driver-api/early-userspace/buffer-format.rst): /dev with the console,
// which the kernel opens for init, and `program` as /init.
void writeInitramfs(const std::filesystem::path& program, const std::filesystem::path& archive);

}  // namespace qm::test
