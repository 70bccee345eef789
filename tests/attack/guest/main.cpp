// Init of a hostile guest: does the deed that the kernel's command line names (deed=NAME), says so, and ends, which
// resets the machine. Or a program of root in somebody's guest, which is told the deed as its argument.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string>

#include "tests/attack/guest/deeds.h"
#include "tests/attack/guest/physical.h"

namespace {

using namespace hostile;

std::string deedOfCommandLine() {
  std::array<char, 4096> text{};
  const int file = ::open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
  const ssize_t count = ::read(file, text.data(), text.size());
  const std::string line(text.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  const std::size_t at = line.find("deed=");
  if (at == std::string::npos) return {};
  return line.substr(at + 5, line.find_first_of(" \n", at) - at - 5);
}

// A name with a plus is done again and again.
bool act(std::string name) {
  const bool isRepeated = name.ends_with('+');
  if (isRepeated) name.pop_back();
  for (const auto deeds : {registerDeeds(), queueDeeds(), channelDeeds(), netDeeds(), vsockDeeds(), vsockRingDeeds()}) {
    for (const Deed& deed : deeds) {
      if (deed.name != name) continue;
      say("deed " + name + " begins");
      deed.act();
      while (isRepeated) {
        say("deed " + name + " once more");
        deed.act();
      }
      return true;
    }
  }
  return false;
}

}  // namespace

int main(int count, char** arguments) {
  ::mkdir("/proc", 0755);
  ::mount("devtmpfs", "/dev", "devtmpfs", 0, nullptr);
  ::mount("proc", "/proc", "proc", 0, nullptr);
  const std::string name = count > 1 ? arguments[1] : deedOfCommandLine();
  say(act(name) ? "deed " + name + " is done" : "there is no deed " + name);
  // Init that ends is a kernel panic, and by panic=-1 the machine's reset: no driver has to shut anything down.
  return 0;
}
