// Physical addresses that are no memory. The local APIC's page and the IOAPIC answer at once, within the instruction;
// every other is the VMM's to answer: the instruction stops (Stop::device) and is begun again with the answer.
#pragma once

#include <cstdint>

#include "vmm/hypervisor/soft/cpu/cpu.h"

namespace qm::soft {

// Whether an access needs nobody but the VM's own chips; if not, the instruction has to be run alone.
bool answersAtOnce(const Cpu& cpu, std::uint64_t physical);

// bytes: 1 to 16, within one page; parts of other sizes than 1, 2, 4, 8 are made of those. False: stopped.
bool readDevice(Cpu& cpu, std::uint64_t physical, void* into, unsigned bytes);
bool writeDevice(Cpu& cpu, std::uint64_t physical, const void* from, unsigned bytes);

// One access of the VMM's: its answer, if it has been made, else Stop::device. Of ports, too.
bool askDevice(Cpu& cpu, DeviceAccess access, std::uint64_t& value);

}  // namespace qm::soft
