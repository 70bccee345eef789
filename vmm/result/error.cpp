#include "vmm/result/error.h"

#include <cerrno>
#include <cstring>
#include <ranges>

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
  // Not strerror(3), which asks for the locale: where nothing is to be read yet that is the dearest part of the answer.
  const char* const description = ::strerrordesc_np(errnoValue);
  const std::string reason = description != nullptr ? description : "error " + std::to_string(errnoValue);
  return {remedy, std::string(action) + ": " + reason};
}

}  // namespace qm
