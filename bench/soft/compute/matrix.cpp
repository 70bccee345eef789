// Products of 256 × 256 matrices of doubles by the definition, column by column of the right one: no vector instruction
// fits it. Three, each of what came before by the same right one.
#include <bit>
#include <vector>

#include "bench/soft/compute/random.h"
#include "bench/soft/compute/work.h"

namespace qm::compute {

namespace {

constexpr std::size_t kSide = 256;
constexpr int kProducts = 3;

std::vector<double> someMatrix(Random& random) {
  std::vector<double> matrix(kSide * kSide);
  // 53 bits, all of a double's: every addition rounds.
  for (double& element : matrix) element = static_cast<double>(random.next() >> 11U) * 0x1p-53;
  return matrix;
}

class Matrix final : public Work {
 public:
  std::uint64_t run() override {
    for (int product = 0; product < kProducts; ++product) multiply();
    std::uint64_t check = 0;
    for (const double element : left_) check = std::rotl(check, 1) ^ std::bit_cast<std::uint64_t>(element);
    return check;
  }

 private:
  void multiply() {
    for (std::size_t row = 0; row < kSide; ++row) {
      for (std::size_t column = 0; column < kSide; ++column) {
        double sum = 0;
        for (std::size_t k = 0; k < kSide; ++k) sum += left_[row * kSide + k] * right_[k * kSide + column];
        product_[row * kSide + column] = sum;
      }
    }
    left_.swap(product_);
  }

  Random random_;
  std::vector<double> left_ = someMatrix(random_), right_ = someMatrix(random_);
  std::vector<double> product_ = std::vector<double>(kSide * kSide);
};

}  // namespace

std::unique_ptr<Work> matrix() {
  return std::make_unique<Matrix>();
}

}  // namespace qm::compute
