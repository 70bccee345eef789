// quickmatch: the command line.
#include "api/cli/command_line.h"

int main(int count, char** words) {
  return qm::cli::runCommandLine(count, words, qm::processEnvironment());
}
