// What went wrong, told so that the caller knows what to do next.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qm {

// Chosen by the caller's next step, not by the layer that failed.
enum class Remedy : std::uint8_t {
  retry,     // the same call may succeed later: a resource was short, a peer was slow
  fixInput,  // it will fail again until the caller changes what it passed
  giveUp,    // nothing the caller does will help: the host lacks something, or state is lost
};

// A value: one sentence that says what failed, and the steps that led there, innermost first.
class [[nodiscard]] Error {
 public:
  Error(Remedy remedy, std::string sentence) : remedy_(remedy), sentence_(std::move(sentence)) {}

  Remedy remedy() const { return remedy_; }
  const std::string& sentence() const { return sentence_; }

  // Adds what the caller was doing: Error(…).during("restoring vcpu 3") reads "restoring vcpu 3: …".
  Error during(std::string_view step) && {
    context_.emplace_back(step);
    return std::move(*this);
  }

  // Outermost step first, then the sentence.
  std::string text() const;

  bool operator==(const Error&) const = default;

 private:
  Remedy remedy_;
  std::string sentence_;
  std::vector<std::string> context_;
};

// "open /dev/kvm: Permission denied". The remedy follows errno: retry for what passes by itself (EAGAIN, EINTR, EBUSY,
// ENOMEM, EMFILE, ENFILE, ENOSPC), giveUp otherwise; a caller that knows better says so with the second form.
Error systemError(std::string_view action, int errnoValue);
Error systemError(Remedy remedy, std::string_view action, int errnoValue);

}  // namespace qm
