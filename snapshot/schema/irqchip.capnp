@0xacfae6f0cbc371ae;
# The chips that all vCPUs share: interrupt controllers, timer, clock. Names are those of the data sheets (8259A, 8254,
# 82093AA); the C++ side is VmState in vmm/hypervisor/state.h.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("qm::snapshot::schema");

struct Irqchip {
  primaryPic @0 :Pic;
  secondaryPic @1 :Pic;
  ioApic @2 :IoApic;
  hasPit @3 :Bool;
  pit @4 :Pit;
  clock @5 :Clock;
}

struct Pic {
  lastIrr @0 :UInt8;
  irr @1 :UInt8;
  imr @2 :UInt8;
  isr @3 :UInt8;
  priorityAdd @4 :UInt8;
  irqBase @5 :UInt8;
  readRegSelect @6 :UInt8;
  poll @7 :UInt8;
  specialMask @8 :UInt8;
  initState @9 :UInt8;
  autoEoi @10 :UInt8;
  rotateOnAutoEoi @11 :UInt8;
  specialFullyNestedMode @12 :UInt8;
  init4 @13 :UInt8;
  elcr @14 :UInt8;
  elcrMask @15 :UInt8;
}

struct IoApic {
  baseAddress @0 :UInt64;
  registerSelect @1 :UInt32;
  id @2 :UInt32;
  irr @3 :UInt32;
  redirection @4 :List(UInt64);  # 24
}

struct Pit {
  channels @0 :List(PitChannel); # 3
  flags @1 :UInt32;
}

struct PitChannel {
  count @0 :UInt32;
  latchedCount @1 :UInt16;
  countLatched @2 :UInt8;
  statusLatched @3 :UInt8;
  status @4 :UInt8;
  readState @5 :UInt8;
  writeState @6 :UInt8;
  writeLatch @7 :UInt8;
  rwMode @8 :UInt8;
  mode @9 :UInt8;
  bcd @10 :UInt8;
  gate @11 :UInt8;
  countLoadTimeNs @12 :Int64;    # of the saving backend's own monotonic clock
}

struct Clock {
  guestNs @0 :UInt64;            # since the guest's boot
  realtimeNs @1 :UInt64;         # the host's wall clock at that moment; 0: not known
}
