// What is known of each kind of request without doing it: when it is allowed, and how Firecracker begins the sentence
// in which it fails.
#pragma once

#include <cstdint>
#include <string_view>

#include "api/vmm/request/request.h"

namespace qm::vmm {

enum class Stage : std::uint8_t { any, beforeStart, afterStart };

struct Passport {
  Stage stage = Stage::any;
  std::string_view family;
};

// One for each alternative of Request: without its line here a new one does not compile.
constexpr Passport passportOf(const DescribeInstance& /*request*/) {
  return {.stage = Stage::any, .family = ""};
}
constexpr Passport passportOf(const DescribeVersion& /*request*/) {
  return {.stage = Stage::any, .family = ""};
}
constexpr Passport passportOf(const DescribeShape& /*request*/) {
  return {.stage = Stage::any, .family = ""};
}
constexpr Passport passportOf(const DescribeTimes& /*request*/) {
  return {.stage = Stage::any, .family = ""};
}
constexpr Passport passportOf(const DescribeCounters& /*request*/) {
  return {.stage = Stage::any, .family = ""};
}
constexpr Passport passportOf(const MachineShape& /*request*/) {
  return {.stage = Stage::beforeStart, .family = "Machine config error: "};
}
constexpr Passport passportOf(const BootFiles& /*request*/) {
  return {.stage = Stage::beforeStart, .family = "Boot source error: "};
}
constexpr Passport passportOf(const BlockConfig& /*request*/) {
  return {.stage = Stage::beforeStart, .family = "Drive config error: "};
}
constexpr Passport passportOf(const NetConfig& /*request*/) {
  return {.stage = Stage::beforeStart, .family = "Network config error: "};
}
constexpr Passport passportOf(const VsockConfig& /*request*/) {
  return {.stage = Stage::beforeStart, .family = "Vsock config error: "};
}
constexpr Passport passportOf(const AddEntropy& /*request*/) {
  return {.stage = Stage::beforeStart, .family = "Entropy config error: "};
}
constexpr Passport passportOf(const StartInstance& /*request*/) {
  return {.stage = Stage::beforeStart, .family = "Start microvm error: "};
}
constexpr Passport passportOf(const PressCtrlAltDel& /*request*/) {
  return {.stage = Stage::afterStart, .family = "Internal VMM error: "};
}
constexpr Passport passportOf(const Pause& /*request*/) {
  return {.stage = Stage::afterStart, .family = "Internal VMM error: "};
}
constexpr Passport passportOf(const Resume& /*request*/) {
  return {.stage = Stage::afterStart, .family = "Internal VMM error: "};
}
constexpr Passport passportOf(const CreateSnapshot& /*request*/) {
  return {.stage = Stage::afterStart, .family = "Create snapshot error: "};
}
constexpr Passport passportOf(const LoadSnapshot& /*request*/) {
  return {.stage = Stage::beforeStart, .family = "Load snapshot error: "};
}

}  // namespace qm::vmm
