#include "vmm/hypervisor/soft/system/events.h"

#include <gtest/gtest.h>

#include "vmm/hypervisor/soft/cpu/handler.h"
#include "vmm/hypervisor/soft/testing/bare_processor.h"

namespace qm::soft {
namespace {

// One interrupt gate, for #UD, and one code segment (SDM 3A, 3.4.5 and 6.14.1).
class EventsTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kGdt = 0x3'0000, kIdt = 0x3'1000, kHandler = 0x4'0000;
  static constexpr unsigned kInvalidOpcode = 6, kRsp = 4;

  EventsTest() {
    processor_.write<std::uint64_t>(kGdt + 8, 0x00af'9b00'0000'ffff);
    processor_.write<std::uint64_t>(kIdt + kInvalidOpcode * 16, 0x0004'8e00'0008'0000);
    SystemState& system = processor_.cpu().system;
    system.gdt = {.base = kGdt, .limit = 15};
    system.idt = {.base = kIdt, .limit = 0xfff};
  }
  // To the UD2 behind it, which faults.
  Delivery faultWithStackAt(std::uint64_t rsp) {
    processor_.setCode({0x90});
    processor_.gpr(kRsp) = rsp;
    EXPECT_EQ(processor_.run(), Stop::exception);
    return deliverFault(processor_.cpu());
  }

  BareProcessor processor_;
};

TEST_F(EventsTest, AFrameMayBePushedIntoAPageThatHoldsCode) {
  ASSERT_EQ(faultWithStackAt(BareProcessor::kCode + 0x800), Delivery::done);
  EXPECT_EQ(processor_.cpu().rip, kHandler);
  EXPECT_EQ(processor_.read<std::uint64_t>(BareProcessor::kCode + 0x800 - 40), BareProcessor::kCode + 1);
}

TEST_F(EventsTest, AFrameThatWouldGoToADeviceIsSaidToBeNotModelled) {
  processor_.setPage(BareProcessor::kBytes, BareProcessor::Page::writable);
  EXPECT_EQ(faultWithStackAt(BareProcessor::kBytes + 0x800), Delivery::onDevice);
  EXPECT_FALSE(processor_.cpu().devices.isUnderWay());
}

}  // namespace
}  // namespace qm::soft
