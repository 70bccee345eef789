#include "vmm/os/program.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace qm {

namespace {

// A copy above the numbers that are given out.
Result<int> lifted(int descriptor) {
  const int copy = ::fcntl(descriptor, F_DUPFD_CLOEXEC, kGivenNumbers);
  if (copy < 0) return systemError("F_DUPFD_CLOEXEC", errno);
  return copy;
}

Status place(int descriptor, int number) {
  if (::dup2(descriptor, number) < 0) return systemError("dup2 to " + std::to_string(number), errno);
  return {};
}

// Close-on-exec for all, then the given ones at their numbers, where dup2 takes the mark away again.
Status arrangeDescriptors(const std::vector<GivenDescriptor>& liftedOnes, int null) {
  if (::close_range(0, ~0U, CLOSE_RANGE_CLOEXEC) < 0) return systemError("close_range", errno);
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) TRY(place(null, number));
  for (const GivenDescriptor& given : liftedOnes) TRY(place(given.ours, given.number));
  return {};
}

Error execFailed(int reason) {
  switch (reason) {
    case ENOENT:
      return systemError(Remedy::fixInput, "execveat: its interpreter is missing here, link it with -static-pie",
                         reason);
    case ENOEXEC:
    case EACCES:
    case ELIBBAD:
      return systemError(Remedy::fixInput, "execveat", reason);
    default:
      return systemError("execveat", reason);
  }
}

Status prepareAndExecute(const ProgramPlan& plan, FileDescriptor& keep) {
  keep = FileDescriptor(TRY(lifted(keep.get())));
  const int executable = TRY(lifted(plan.executable));
  const int null = TRY(lifted(plan.null));
  std::vector<GivenDescriptor> descriptors = plan.descriptors;
  for (GivenDescriptor& given : descriptors) given.ours = TRY(lifted(given.ours));
  TRY(arrangeDescriptors(descriptors, null));
  ::umask(077);
  std::vector<std::string> words = plan.arguments;
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  char* const environment[] = {nullptr};
  ::execveat(executable, "", argv.data(), environment, AT_EMPTY_PATH);
  return execFailed(errno);
}

}  // namespace

Status beginAfresh() {
  if (::setsid() < 0) return systemError("setsid", errno);
  sigset_t none;
  sigemptyset(&none);
  if (::sigprocmask(SIG_SETMASK, &none, nullptr) < 0) return systemError("sigprocmask", errno);
  ::umask(022);
  return {};
}

Error becomeProgram(const ProgramPlan& plan, FileDescriptor& keep) {
  return prepareAndExecute(plan, keep).error();
}

Result<bool> leadsToFiles(const FileDescriptor& file) {
  struct stat status{};
  const int flags = ::fcntl(file.get(), F_GETFL);
  if (flags < 0 || ::fstat(file.get(), &status) < 0) return systemError("fstat", errno);
  return S_ISDIR(status.st_mode) || (flags & O_PATH) != 0;
}

}  // namespace qm
