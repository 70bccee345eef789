@0xd509e1ebb99a48b1;
# What a host and the agent inside its guest say to each other over vsock: each message is a Request to the agent or a
# Reply from it, in Cap'n Proto's stream framing (a segment table, then the segments), at most 16 MiB in at most 64
# segments. Replies carry their request's id and come in any order.
#
# Fields are only ever added, at the end, and their default means what senders did that did not know them. A change that
# an old peer would misunderstand takes a new protocol number. Ranges in the comments are checked by the reader
# (vmm/guest/protocol); both sides take the other for hostile.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("qm::agent::wire");

struct Request {
  protocol @0 :UInt16;         # 1
  id @1 :UInt64;               # the host's choice
  union {
    ping @2 :Ping;
    renew @3 :Renew;
    run @4 :Run;
    stop @5 :Void;             # power the guest off; answered first
  }
}

struct Reply {
  protocol @0 :UInt16;         # 1
  id @1 :UInt64;
  union {
    pong @2 :Pong;
    renewed @3 :Renewed;
    ran @4 :Ran;
    stopping @5 :Void;
    refusal @6 :Refusal;
  }
}

struct Ping {
  nonce @0 :UInt64;
}

struct Pong {
  nonce @0 :UInt64;            # the ping's
  guestNonce @1 :UInt64;       # made once when the agent started; lives in guest memory only
  handledUs @2 :UInt64;        # from the request's last byte to this reply
}

struct Renew {
  entropy @0 :Data;            # 32 to 4096 bytes
  wallClockNs @1 :Int64;       # since 1970-01-01T00:00:00Z, not negative
  hostname @2 :Text;           # 1 to 63 letters, digits and dashes
  machineId @3 :Text;          # 32 lower-case hexadecimal digits, as machine-id(5)
  mac @4 :Text;                # empty: leave as it is; else at most 64 bytes, "02:00:00:00:00:01"
  ip @5 :Text;                 # the same, "10.0.0.2/24"
  gateway @6 :Text;            # the same, "10.0.0.1"
  cloneId @7 :Text;            # at most 255 bytes
  hooks @8 :List(Command);     # at most 64; run in order after all else, each must exit 0
  nonce @9 :UInt64;            # not 0: Renewed has it, too, and answers for a ping
}

struct Command {
  argv @0 :List(Text);         # 1 to 4096 of them
}

struct Renewed {
  guestNonce @0 :UInt64;
  hooks @1 :List(End);         # at most 64
  nonce @2 :UInt64;            # the Renew's; 0: of an agent that does not echo it
}

struct End {
  exitCode @0 :Int32;          # 0 to 255
  signal @1 :Int32;            # 0 (exited) to 64
}

struct Run {
  argv @0 :List(Text);         # 1 to 4096 of them; no NUL inside any text
  env @1 :List(Text);          # at most 4096, NAME=VALUE; laid over the agent's own PATH, HOME and USER
  cwd @2 :Text;                # empty: "/"
  stdin @3 :Data;
  timeoutMs @4 :UInt32;        # 0: none
  user @5 :Text;               # a name in /etc/passwd, or a uid; empty: root
  outputLimit @6 :UInt64;      # bytes kept of each stream, at most 7 MiB
}

struct Ran {
  exitCode @0 :Int32;          # 0 to 255
  signal @1 :Int32;            # 0 (exited) to 64
  out @2 :Data;
  err @3 :Data;
  timedOut @4 :Bool;
  outTruncated @5 :Bool;
  errTruncated @6 :Bool;
  durationUs @7 :UInt64;
}

# Why a request was not carried out.
struct Refusal {
  remedy @0 :Remedy;
  text @1 :Text;               # at most 4096 bytes
}

enum Remedy {
  giveUp @0;
  retry @1;
  fixInput @2;
}
