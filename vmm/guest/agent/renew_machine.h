// Makes a clone a machine of its own: all of a renewal but the template's hooks.
#pragma once

#include "vmm/guest/protocol/agent_values.h"
#include "vmm/result/result.h"

namespace qm::agent {

// The first step that fails ends it: a clone that is renewed in part must not be handed out.
Status renewMachine(const Renew& renew);

}  // namespace qm::agent
