#include "vmm/result/error.h"

#include <cerrno>
#include <ranges>
#include <system_error>

namespace qm {

namespace {

Remedy remedyOf(int errnoValue) {
  switch (errnoValue) {
    case EAGAIN:
    case EINTR:
    case EBUSY:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case ENOSPC:
      return Remedy::retry;
    default:
      return Remedy::giveUp;
  }
}

}  // namespace

std::string Error::text() const {
  std::string text;
  for (const std::string& step : context_ | std::views::reverse) text.append(step).append(": ");
  return text.append(sentence_);
}

Error systemError(std::string_view action, int errnoValue) {
  return systemError(remedyOf(errnoValue), action, errnoValue);
}

Error systemError(Remedy remedy, std::string_view action, int errnoValue) {
  return {remedy, std::string(action) + ": " + std::generic_category().message(errnoValue)};
}

}  // namespace qm
