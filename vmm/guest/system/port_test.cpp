#include "vmm/guest/system/port.h"

#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>

#include <array>
#include <chrono>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "vmm/os/testing/temp_folder.h"
#include "vmm/os/wait.h"

namespace qm::guest {
namespace {

// A terminal stands for the port: a character device whose other end the host may let go of.
class PortTest : public testing::Test {
 protected:
  PortTest() {
    EXPECT_EQ(::grantpt(host_.get()), 0);
    EXPECT_EQ(::unlockpt(host_.get()), 0);
    device_ = ::ptsname(host_.get());
    termios plain{};
    EXPECT_EQ(::tcgetattr(host_.get(), &plain), 0);
    ::cfmakeraw(&plain);
    EXPECT_EQ(::tcsetattr(host_.get(), TCSANOW, &plain), 0);
  }

  static std::string read(const FileDescriptor& from, std::size_t bytes) {
    std::string text;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (text.size() < bytes && waitReadable(from, deadline).has_value()) {
      std::array<std::byte, 64> some{};
      const std::size_t count = readSome(from, some).value_or(0);
      if (count == 0) break;
      text.append(reinterpret_cast<const char*>(some.data()), count);
    }
    return text;
  }
  static void write(const FileDescriptor& to, std::string_view text) {
    ASSERT_TRUE(writeAll(to, std::as_bytes(std::span(text))).has_value());
  }

  FileDescriptor host_{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
  std::string device_;
};

TEST_F(PortTest, BytesGoBothWaysUnchanged) {
  const FileDescriptor agent = relayPort(device_).value();
  constexpr std::string_view kBytes("\0\r\n\x03\xff", 5);  // what a terminal's line discipline would change
  write(host_, kBytes);
  EXPECT_EQ(read(agent, kBytes.size()), kBytes);
  write(agent, kBytes);
  EXPECT_EQ(read(host_, kBytes.size()), kBytes);
}

TEST_F(PortTest, APortThatAppearsLaterIsWaitedFor) {
  const test::TempFolder folder;
  const std::filesystem::path late = folder.path() / "vport0p1";
  const FileDescriptor agent = relayPort(late).value();
  write(agent, "early");
  std::filesystem::create_symlink(device_, late);
  EXPECT_EQ(read(host_, 5), "early");
}

}  // namespace
}  // namespace qm::guest
