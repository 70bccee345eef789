// What the kernel of a machine that is cloned does by itself.
#pragma once

namespace qm::guest {

// Ends what wakes an idle machine again and again, whatever its command line says: a thousand idle clones wake their
// host a thousand times as often. To be called once /proc is mounted. A kernel without a setting has nothing to end.
void quietKernel();

}  // namespace qm::guest
