#include "vmm/hypervisor/soft/operations/stack.h"

#include <gtest/gtest.h>

#include "vmm/hypervisor/soft/testing/bare_processor.h"

namespace qm::soft {
namespace {

constexpr unsigned kRax = 0, kRsp = 4, kRbp = 5, kRsi = 6;
constexpr std::uint64_t kNotCanonical = std::uint64_t{1} << 52U;

class NotCanonical : public testing::Test {
 protected:
  NotCanonical() {
    for (const unsigned number : {kRsp, kRbp, kRsi}) processor_.gpr(number) = kNotCanonical;
  }
  Exception exceptionOf(std::initializer_list<unsigned> code) {
    processor_.setCode(code);
    EXPECT_EQ(processor_.run(), Stop::exception);
    EXPECT_EQ(processor_.cpu().rip, BareProcessor::kCode);
    EXPECT_EQ(processor_.gpr(kRsp), kNotCanonical);
    return processor_.cpu().fault.exception;
  }
  BareProcessor processor_;
};

TEST_F(NotCanonical, AnAddressByRspOrRbpIsAStackFault) {
  EXPECT_EQ(exceptionOf({0x48, 0x8b, 0x04, 0x24}), Exception::stackFault);        // mov rax, [rsp]
  EXPECT_EQ(exceptionOf({0x48, 0x89, 0x45, 0x08}), Exception::stackFault);        // mov [rbp + 8], rax
  EXPECT_EQ(exceptionOf({0xf0, 0x48, 0xff, 0x45, 0x08}), Exception::stackFault);  // lock inc qword [rbp + 8]
}

TEST_F(NotCanonical, AnyOtherAddressIsAGeneralProtection) {
  EXPECT_EQ(exceptionOf({0x48, 0x8b, 0x06}), Exception::generalProtection);  // mov rax, [rsi]
}

TEST_F(NotCanonical, TheStackItselfIsAStackFault) {
  EXPECT_EQ(exceptionOf({0x50}), Exception::stackFault);                          // push rax
  EXPECT_EQ(exceptionOf({0x66, 0x58}), Exception::stackFault);                    // pop ax
  EXPECT_EQ(exceptionOf({0xc3}), Exception::stackFault);                          // ret
  EXPECT_EQ(exceptionOf({0xe8, 0x00, 0x00, 0x00, 0x00}), Exception::stackFault);  // call
  EXPECT_EQ(exceptionOf({0xc9}), Exception::stackFault);                          // leave
  EXPECT_EQ(exceptionOf({0xc8, 0x10, 0x00, 0x00}), Exception::stackFault);        // enter 16, 0
}

TEST_F(NotCanonical, WhatIsPushedOrPoppedIsNotTheStack) {
  processor_.gpr(kRax) = kNotCanonical;
  EXPECT_EQ(exceptionOf({0xff, 0x36}), Exception::generalProtection);  // push qword [rsi]
}

}  // namespace
}  // namespace qm::soft
