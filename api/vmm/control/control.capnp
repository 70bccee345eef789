@0xb5d0a4a7f0c1e293;
# What a daemon and a VMM that it has started say to each other over the control channel: each message is one Request to
# the VMM or one Answer from it, a single segment without a segment table, at most 64 KiB. One request is under way at a
# time; its answer carries its id.
#
# Fields are only ever added, at the end, and their default means what senders did that did not know them. A change that
# an old peer would misunderstand takes a new version. Ranges in the comments are checked by the reader
# (api/vmm/control/codec.h); both sides take the other for hostile.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("qm::vmm::control::wire");

struct Request {
  version @0 :UInt16;          # 1
  id @1 :UInt64;               # the daemon's choice
  union {
    ask @2 :Ask;               # beside it may go one file: of an interface that it configures, the tap
    load @3 :Load;
    observe @4 :Void;          # pauses; the two files beside it get what was observed
    prepare @5 :Prepare;       # of a VMM without a guest: decodes a snapshot's code for its clones
    reset @6 :Load;            # of a VMM that was loaded before: as load, and of the guest that it has nothing is left
  }
}

struct Ask {                   # a request of the REST interface, in its words
  method @0 :Text;             # 1 to 16 bytes
  target @1 :Text;             # 1 to 4096 bytes
  body @2 :Text;               # at most 51200 bytes
}

struct Load {                  # restores a snapshot and lets it run; beside it go the files that it names
  state @0 :UInt8;             # which of the descriptors is the state
  memory @1 :UInt8;            # and the memory
  disks @2 :List(Disk);        # at most 64
  vsock @3 :Text;              # path of the vsock's socket, at most 4096 bytes; empty: the machine has none
  observing @4 :Bool;          # whether it is noted what the guest touches
  written @5 :List(Run);       # pages that the guest will write; at most 1024 runs, ascending, apart from each other
  read @6 :List(Run);          # the same of pages that it will read
  hasCode @7 :Bool;            # whether there is prepared code
  code @8 :UInt8;              # which of the descriptors is it
  taps @9 :List(Disk);         # at most 8: of network interfaces, by id
  holes @10 :List(Run);        # where the memory file has no pages, and a clone gets some of its own; as the others
}

struct Disk {
  id @0 :Text;                 # of the drive, 1 to 64 bytes
  file @1 :UInt8;              # which of the descriptors is its image
}

struct Prepare {               # beside it: the memory, the file for what is made, 1 to 16 files of hints
  memorySha256 @0 :Data;       # of the memory; 32 bytes
}

struct Run {                   # of pages of 4 KiB, numbered as the memory file has them
  first @0 :UInt32;
  count @1 :UInt32;            # at least 1
}

struct Answer {
  version @0 :UInt16;          # 1
  id @1 :UInt64;               # the request's
  status @2 :UInt16;           # HTTP's, 200 to 599
  body @3 :Text;               # JSON, at most 51200 bytes; empty: none
}
