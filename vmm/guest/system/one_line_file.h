// Files of one line, such as /etc/hostname.
#pragma once

#include <string>

#include "vmm/result/result.h"

namespace qm::guest {

// `text` and the end of the line are all that the file has then. One that is made is for everybody to read; one that is
// there keeps its mode, and its page: truncated first, it would give it back and take another.
Status writeLine(const char* path, const std::string& text);

}  // namespace qm::guest
