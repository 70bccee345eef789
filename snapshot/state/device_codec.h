// The devices' states to their schemas and back. The load functions may throw kj::Exception for a malformed message,
// and answer an Error for what the schema's ranges refuse.
#pragma once

#include "snapshot/schema/devices.capnp.h"
#include "vmm/machine/machine_state.h"
#include "vmm/result/result.h"

namespace qm::snapshot {

void storeSerial(const SerialState& serial, schema::Serial::Builder to);
Result<SerialState> loadSerial(schema::Serial::Reader from);

void storeI8042(const I8042State& i8042, schema::I8042::Builder to);
Result<I8042State> loadI8042(schema::I8042::Reader from);

void storeVirtio(const VirtioDeviceState& device, schema::VirtioDevice::Builder to);
Result<VirtioDeviceState> loadVirtio(schema::VirtioDevice::Reader from);

}  // namespace qm::snapshot
