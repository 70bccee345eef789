// A script of host input: what happens to a guest, and at which nanosecond of its time. Pure.
//
//   # comment
//   AT serial TEXT                      typed on the console: at most 64 bytes, which its FIFO holds
//   AT ctrl-alt-del
//   AT vsock NAME connect PORT [FILE]   a connection to the guest's port; what the guest sends goes to FILE
//   AT vsock NAME send TEXT
//   AT vsock NAME close
//   AT snapshot STATE MEMORY            saved to two files that are not there yet; the last of its moment
//   AT pause                            until it is resumed through the API
//   AT stop                             the program ends, with code 0; the last line
//
// AT is decimal; moments do not go back. Words are separated by spaces and tabs; one in quotes may have any byte: \n \r
// \t \0 \\ \" and \xHH.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "vmm/result/result.h"

namespace qm::vmm::script {

struct Type {
  std::string bytes;  // 1 to kMostTyped
  bool operator==(const Type&) const = default;
};
struct PressCtrlAltDel {
  bool operator==(const PressCtrlAltDel&) const = default;
};
struct Connect {
  std::string name;  // of no connection that is open
  std::uint32_t port = 0;
  std::filesystem::path received;  // empty: dropped
  bool operator==(const Connect&) const = default;
};
struct Send {
  std::string name;   // of an open connection
  std::string bytes;  // 1 to kMostSent
  bool operator==(const Send&) const = default;
};
struct Close {
  std::string name;  // of an open connection
  bool operator==(const Close&) const = default;
};
struct Save {
  std::filesystem::path state, memory;
  bool operator==(const Save&) const = default;
};
struct Pause {
  bool operator==(const Pause&) const = default;
};
struct Stop {
  bool operator==(const Stop&) const = default;
};
using Action = std::variant<Type, PressCtrlAltDel, Connect, Send, Close, Save, Pause, Stop>;

struct Line {
  std::uint64_t atNs = 0;  // of guest time, since the guest's boot
  std::size_t number = 0;  // in the file, from 1
  Action action;
  bool operator==(const Line&) const = default;
};

inline constexpr std::size_t kMostTyped = 64;
inline constexpr std::size_t kMostSent = 64 * 1024;
inline constexpr std::uint64_t kMostScriptBytes = 1U << 20U;

// In the order of the file, which is that of their moments. fixInput: "line 3: …".
Result<std::vector<Line>> readScript(std::string_view text);

}  // namespace qm::vmm::script
