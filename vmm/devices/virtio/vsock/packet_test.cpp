#include "vmm/devices/virtio/vsock/packet.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace qm::vsock {
namespace {

TEST(VsockHeader, LiesInMemoryAsTheStandardOrdersItsFields) {
  const Header header{.sourceCid = 0x0102030405060708,
                      .destinationCid = 2,
                      .sourcePort = 0x11121314,
                      .destinationPort = 0x21222324,
                      .length = 0x31323334,
                      .type = 0x4142,
                      .operation = 0x5152,
                      .flags = 0x61626364,
                      .bufferBytes = 0x71727374,
                      .forwardedBytes = 0x81828384};
  const auto bytes = encodeHeader(header);
  EXPECT_EQ(bytes[0], std::byte{0x08});   // src_cid, little-endian
  EXPECT_EQ(bytes[8], std::byte{0x02});   // dst_cid
  EXPECT_EQ(bytes[16], std::byte{0x14});  // src_port
  EXPECT_EQ(bytes[20], std::byte{0x24});  // dst_port
  EXPECT_EQ(bytes[24], std::byte{0x34});  // len
  EXPECT_EQ(bytes[28], std::byte{0x42});  // type
  EXPECT_EQ(bytes[30], std::byte{0x52});  // op
  EXPECT_EQ(bytes[32], std::byte{0x64});  // flags
  EXPECT_EQ(bytes[36], std::byte{0x74});  // buf_alloc
  EXPECT_EQ(bytes[40], std::byte{0x84});  // fwd_cnt
  EXPECT_EQ(decodeHeader(bytes), header);
}

TEST(VsockHeader, OperationsOutsideTheStandardHaveNoName) {
  const auto named = [](std::uint16_t number) { return operationOf(Header{.operation = number}).has_value(); };
  EXPECT_FALSE(named(0));
  EXPECT_TRUE(named(1));
  EXPECT_TRUE(named(7));
  EXPECT_FALSE(named(8));
  EXPECT_FALSE(named(0xffff));
}

}  // namespace
}  // namespace qm::vsock
