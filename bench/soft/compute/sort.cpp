// qsort(3) of a million ints.
#include <cstdlib>
#include <vector>

#include "bench/soft/compute/random.h"
#include "bench/soft/compute/work.h"

namespace qm::compute {

namespace {

constexpr std::size_t kNumbers = 1'000'000;

int compare(const void* left, const void* right) {
  const int a = *static_cast<const int*>(left);
  const int b = *static_cast<const int*>(right);
  return (a > b) - (a < b);
}

class Sort final : public Work {
 public:
  Sort() {
    Random random;
    for (int& number : numbers_) number = static_cast<int>(random.next() >> 33U);
  }

  std::uint64_t run() override {
    std::qsort(numbers_.data(), numbers_.size(), sizeof(int), compare);
    std::uint64_t check = 0;
    for (const int number : numbers_) check = check * 31 + static_cast<std::uint64_t>(number);
    return check;
  }

 private:
  std::vector<int> numbers_ = std::vector<int>(kNumbers);
};

}  // namespace

std::unique_ptr<Work> sort() {
  return std::make_unique<Sort>();
}

}  // namespace qm::compute
