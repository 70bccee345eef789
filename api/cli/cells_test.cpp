#include "api/cli/cells.h"

#include <boost/json/object.hpp>
#include <gtest/gtest.h>

#include "api/cli/daemon_api.h"
#include "api/cli/table.h"

namespace qm::cli {
namespace {

TEST(Cells, MembersAreShownAsTheyAreAndAbsentOnesAsADash) {
  const boost::json::value document{{"state", "ready"}, {"vcpus", 2}, {"initrd", nullptr}};
  EXPECT_EQ(cell(document, "state"), "ready");
  EXPECT_EQ(cell(document, "vcpus"), "2");
  EXPECT_EQ(cell(document, "initrd"), "-");
  EXPECT_EQ(cell(document, "nothing"), "-");
  EXPECT_EQ(cell(7, "nothing"), "-");
}

TEST(Cells, PhasesReadInTheOrderInWhichTheyWereSpent) {
  const boost::json::value grant{
      {"phases_us", boost::json::object{{"take", 12}, {"ping", 1'500}, {"total", 2'000'000}}}};
  EXPECT_EQ(phasesText(grant), "take 12 us, ping 1.50 ms; 2.00 s in all");
  EXPECT_EQ(phasesText(nullptr), "-");
}

TEST(Table, ColumnsAreAsWideAsTheirWidestCellAndNothingSteersTheTerminal) {
  EXPECT_EQ(tableText({{"NAME", "STATE"}, {"python", "ready"}, {"a", "\x1b[2J"}}),
            "NAME    STATE\n"
            "python  ready\n"
            "a       .[2J\n");
}

TEST(LeaseHandle, IdAndTokenTravelTogether) {
  const LeaseHandle handle{.id = "lease-1", .token = "abc"};
  EXPECT_EQ(leaseHandle(text(handle)).value(), handle);
  for (const char* refused : {"", "lease-1", ":abc", "lease-1:"}) EXPECT_FALSE(leaseHandle(refused).has_value());
}

}  // namespace
}  // namespace qm::cli
