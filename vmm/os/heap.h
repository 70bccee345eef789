// The C library's allocator, as a process of a few threads that is started a hundred times a second wants it.
#pragma once

namespace qm {

// One heap for all threads, which is not given back piece by piece: an arena for each thread costs it a reservation of
// 64 MiB, page faults of its own, and system calls at moments when a seccomp filter is in place (glibc reads
// /proc/sys/vm/overcommit_memory to shrink one). Call it before the second thread.
void useOneHeap();

}  // namespace qm
