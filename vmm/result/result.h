// Result<T>: a value or an Error. The one way in which a function says that it failed.
#pragma once

#include <expected>
#include <string>
#include <type_traits>
#include <utility>

#include "vmm/result/error.h"

namespace qm {

// std::expected that a caller may not drop.
template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using Base = std::expected<T, Error>;
  using Base::Base;
  Result(Error error) : Base(std::unexpected(std::move(error))) {}  // NOLINT(google-explicit-constructor)
  Result(Base base) : Base(std::move(base)) {}                      // NOLINT(google-explicit-constructor)

  // Adds what the caller was doing, if this is an error.
  Result during(std::string_view step) && {
    if (!this->has_value()) return std::move(this->error()).during(step);
    return std::move(*this);
  }
};

using Status = Result<void>;

}  // namespace qm

// TRY(expression): the value of a Result, or return its error from the enclosing function.
//   FileDescriptor file = TRY(openFile(path).during("opening the kernel"));
#define TRY(expression)                                                \
  ({                                                                   \
    auto tryResult_ = (expression);                                    \
    if (!tryResult_.has_value()) return std::move(tryResult_).error(); \
    std::move(tryResult_).value();                                     \
  })
