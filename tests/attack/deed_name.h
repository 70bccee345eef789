// A deed's name, as a test's may be: without dashes.
#pragma once

#include <string>

#include <gtest/gtest.h>

namespace qm::test {

inline std::string deedName(const testing::TestParamInfo<const char*>& deed) {
  std::string name = deed.param;
  std::erase(name, '-');
  return name;
}

}  // namespace qm::test
