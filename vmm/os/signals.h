// Signals that a program waits for rather than handles.
#pragma once

#include <initializer_list>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

// For this thread and those that it starts from here on: call it before the first one is started.
void blockSignals(std::initializer_list<int> numbers);
// Waits until one of them arrives, and answers which. They are blocked in every thread.
int waitForSignal(std::initializer_list<int> numbers);
// The same for an event loop: readable while one of them waits. It stays waiting: whoever asked for it ends.
Result<FileDescriptor> watchSignals(std::initializer_list<int> numbers);

}  // namespace qm
