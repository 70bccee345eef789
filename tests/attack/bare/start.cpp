// The first instruction (64-bit entry of the Linux boot protocol: RSI at the zero page, the first GiB mapped to itself)
// and what a compiler takes for granted.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "tests/attack/bare/console.h"
#include "tests/attack/bare/port_deeds.h"
#include "tests/attack/bare/tables.h"

namespace {

using namespace hostile;

// boot_params.hdr.cmd_line_ptr (Documentation/x86/boot.rst, offset 0x228).
std::string_view commandLine(const std::uint8_t* zeroPage) {
  std::uint32_t address = 0;
  std::memcpy(&address, zeroPage + 0x228, sizeof address);
  const char* const text = reinterpret_cast<const char*>(std::uintptr_t{address});
  std::size_t length = 0;
  while (text[length] != '\0') ++length;
  return {text, length};
}

// By hand where the library would want exceptions or more of C.
std::string_view deedOf(std::string_view line) {
  constexpr std::string_view kKey = "deed=";
  while (!line.empty() && !line.starts_with(kKey)) line.remove_prefix(1);
  if (line.empty()) return {};
  line.remove_prefix(kKey.size());
  std::size_t length = 0;
  while (length < line.size() && line[length] != ' ') ++length;
  return {line.data(), length};
}

void tell(std::string_view name, std::string_view what) {
  say("deed ");
  say(name);
  say(what);
  say("\n");
}

}  // namespace

extern "C" {

[[noreturn]] void begin(const std::uint8_t* zeroPage) {
  mapFourGiB();
  const std::string_view wanted = deedOf(commandLine(zeroPage));
  for (const PortDeed& deed : portDeeds()) {
    if (deed.name != wanted) continue;
    tell(wanted, " begins");
    deed.act();
    tell(wanted, " is done");
  }
  for (;;) writePort(0x64, 1, 0xfe);
}

// The compiler calls these by itself.
void* memcpy(void* to, const void* from, std::size_t count) {
  void* const begin = to;
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count)::"memory");
  return begin;
}
void* memset(void* to, int value, std::size_t count) {
  void* const begin = to;
  asm volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(value) : "memory");
  return begin;
}
int memcmp(const void* left, const void* right, std::size_t count) {
  const auto* const a = static_cast<const unsigned char*>(left);
  const auto* const b = static_cast<const unsigned char*>(right);
  for (std::size_t i = 0; i < count; ++i) {
    if (a[i] != b[i]) return a[i] - b[i];
  }
  return 0;
}
}

asm(R"(
  .globl start
start:
  cld
  mov $stackEnd, %rsp
  mov %rsi, %rdi
  call begin
  .bss
  .balign 16
  .skip 65536
stackEnd:
  .text
)");
