@0xcfad886e7196a31f;
# What the devices of a machine remember. The C++ side is the *_state.h of each device in vmm/devices.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("qm::snapshot::schema");

struct Serial {
  # 16550A.
  interruptEnable @0 :UInt8;
  fifoControl @1 :UInt8;
  lineControl @2 :UInt8;
  modemControl @3 :UInt8;
  scratch @4 :UInt8;
  divisor @5 :UInt16;
  transmitEmptyPending @6 :Bool;
  received @7 :Data;             # not read by the guest yet: at most 64 bytes
}

struct I8042 {
  commandByte @0 :UInt8;
  outputPort @1 :UInt8;
  pendingCommand @2 :UInt8;      # 0: none
  output @3 :Data;               # not read by the guest yet: at most 16 bytes
}

struct VirtioDevice {
  id @0 :Text;                   # the API's: at most 255 bytes
  base @1 :UInt64;               # guest-physical address of its registers
  gsi @2 :UInt32;
  transport @3 :Transport;
  kind :union {
    # What the virtio device ids 2, 1, 4 and 19 add.
    block @4 :Block;
    net @5 :Net;
    entropy @6 :Entropy;
    vsock @7 :Vsock;
  }
}

struct Transport {
  # virtio-mmio, virtio 1.2, 4.2.2.
  deviceFeaturesSelect @0 :UInt32;
  driverFeaturesSelect @1 :UInt32;
  driverFeatures @2 :UInt64;
  queueSelect @3 :UInt32;
  status @4 :UInt32;
  interruptStatus @5 :UInt32;
  configGeneration @6 :UInt32;
  queues @7 :List(Queue);        # at most 16
}

struct Queue {
  # A split virtqueue, virtio 1.2, 2.7. All of it is the guest's word; the device checks it at each use.
  size @0 :UInt16;
  ready @1 :Bool;
  descriptorTable @2 :UInt64;
  availableRing @3 :UInt64;
  usedRing @4 :UInt64;
  nextAvailable @5 :UInt16;
  nextUsed @6 :UInt16;
}

struct Block {
  capacitySectors @0 :UInt64;    # of 512 bytes
  readOnly @1 :Bool;
  id @2 :Text;                   # what GET_ID answers: at most 20 bytes
}

struct Net {
  mac @0 :Data;                  # 6 bytes
}

struct Entropy {
  hasSequence @0 :Bool;          # its bytes follow from a seed
  sequence @1 :UInt64;           # where they stand then
}

struct Vsock {
  guestCid @0 :UInt64;
  kept @1 :List(VsockConnection);  # none, or the agent's
  toReset @2 :List(VsockPorts);    # at most 65536
  nextHostPort @3 :UInt32;
}

struct VsockConnection {
  # As both sides count it, virtio 1.2, 5.10.6.3.
  hostPort @0 :UInt32;
  guestPort @1 :UInt32;
  receivedBytes @2 :UInt32;
  announcedBytes @3 :UInt32;
  sentBytes @4 :UInt32;
  peerBufferBytes @5 :UInt32;
  peerForwardedBytes @6 :UInt32;
}

struct VsockPorts {
  hostPort @0 :UInt32;
  guestPort @1 :UInt32;
}
