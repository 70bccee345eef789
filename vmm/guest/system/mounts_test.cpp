#include "vmm/guest/system/mounts.h"

#include <gtest/gtest.h>

namespace qm::guest {
namespace {

TEST(KernelParameter, IsTheLastOfItsName) {
  EXPECT_EQ(kernelParameter("console=ttyS0 qm.root=/dev/vda qm.root=/dev/vdb\n", "qm.root"), "/dev/vdb");
}

TEST(KernelParameter, IsEmptyWhenNoWordHasExactlyItsName) {
  EXPECT_EQ(kernelParameter("qm.rootfs=/dev/vda xqm.root=1 qm.root root=/dev/sda", "qm.root"), "");
  EXPECT_EQ(kernelParameter("", "qm.root"), "");
}

}  // namespace
}  // namespace qm::guest
