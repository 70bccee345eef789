// `quickmatch-vmm jail`: makes a jail for one program and becomes it, as Firecracker's jailer does.
//
// Unlike the daemon's jails its root is a folder of the host, which is the program's to write: what it is to see is put
// there beforehand. The rest is alike: no capability, no new privilege, Landlock's denials, the jail's filter of system
// calls. The program is executed from outside and need not be in the root.
#pragma once

namespace qm::vmm {

// `words` are the program's from "jail" on. Comes back when there is nothing to become: the exit code. The caller has
// one thread.
int runJail(int count, const char* const* words);

}  // namespace qm::vmm
