// What calls that have returned left on this thread's stack.
#pragma once

namespace qm {

// Zeros it, for 256 KiB below the caller's frame, which no call of ours reaches beyond. What stands in the frames of
// callers stays.
void wipeStackBelow();

}  // namespace qm
