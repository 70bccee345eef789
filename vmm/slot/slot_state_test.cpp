#include "vmm/slot/slot_state.h"

#include <set>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace qm::slot {
namespace {

State numbered(std::size_t number) {
  return stateNumbered(number).value();
}

TEST(SlotState, TheseStepsAndNoOthersAreLegal) {
  const std::set<std::pair<State, State>> legal{
      {State::unborn, State::blank},  {State::unborn, State::ended},   {State::blank, State::loading},
      {State::blank, State::ended},   {State::loading, State::blank},  {State::loading, State::paused},
      {State::loading, State::ended}, {State::paused, State::running}, {State::paused, State::loading},
      {State::paused, State::ended},  {State::running, State::paused}, {State::running, State::ended},
  };
  for (std::size_t from = 0; from < kStates; ++from) {
    for (std::size_t to = 0; to < kStates; ++to) {
      EXPECT_EQ(mayMove(numbered(from), numbered(to)), legal.contains({numbered(from), numbered(to)}))
          << name(numbered(from)) << " to " << name(numbered(to));
    }
  }
}

TEST(SlotState, WhoLooksNowAndThenSeesOnlyWhatStepsLeadTo) {
  EXPECT_TRUE(mayHaveCome(State::unborn, State::running));
  EXPECT_TRUE(mayHaveCome(State::running, State::running));
  EXPECT_TRUE(mayHaveCome(State::running, State::loading));
  EXPECT_FALSE(mayHaveCome(State::blank, State::unborn));
  EXPECT_FALSE(mayHaveCome(State::ended, State::running));
}

TEST(SlotState, NumbersBeyondTheTableAreNoStates) {
  EXPECT_EQ(stateNumbered(4), State::running);
  EXPECT_EQ(stateNumbered(kStates), std::nullopt);
  EXPECT_EQ(stateNumbered(~std::uint64_t{0}), std::nullopt);
}

}  // namespace
}  // namespace qm::slot
