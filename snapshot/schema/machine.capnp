@0xfe5203229d47d67a;
# A whole machine at rest, bar the contents of its RAM: the root of a state file's message (docs/snapshot-format.md).
#
# Fields are only ever added, at the end, and their default means what writers did that did not know them. Numbers of
# elements and ranges in the comments are checked by the reader (snapshot/state).

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("qm::snapshot::schema");

using import "cpu.capnp".Cpu;
using import "devices.capnp".I8042;
using import "devices.capnp".Serial;
using import "devices.capnp".VirtioDevice;
using import "irqchip.capnp".Irqchip;

struct Machine {
  memoryBytes @0 :UInt64;        # a multiple of 4096, not 0, at most 1 TiB
  cpuTemplate @1 :Text;          # a name of vmm/hypervisor/cpu_template: 1 to 64 bytes
  hypervisor @2 :Text;           # the backend that saved it: at most 255 bytes
  cpus @3 :List(Cpu);            # 1 to 8
  irqchip @4 :Irqchip;
  serial @5 :Serial;
  i8042 @6 :I8042;
  virtioDevices @7 :List(VirtioDevice);  # ascending by base, at most 1024
}
