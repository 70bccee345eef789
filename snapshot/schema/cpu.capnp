@0xb1c63466c0481d73;
# One vCPU's architectural state. Names are those of the Intel SDM, volume 3; the C++ side is vmm/hypervisor/state.h.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("qm::snapshot::schema");

struct Cpu {
  cpuid @0 :List(CpuidEntry);    # at most 512
  tscKhz @1 :UInt32;
  runState @2 :RunState;
  registers @3 :Registers;
  system @4 :SystemRegisters;
  debug @5 :DebugRegisters;
  extended @6 :ExtendedState;
  localApic @7 :Data;            # the register page of SDM 3A, table 11-1: 1024 bytes
  msrs @8 :List(Msr);            # ascending by index, no index twice, at most 1024
  events @9 :PendingEvents;
  hasRandomState @10 :Bool;      # RDRAND and RDSEED follow from a seed
  randomState @11 :UInt64;       # where their sequence stands then
  timerExpiry @12 :UInt64;       # the TSC at which the APIC's timer runs out; 0: as localApic has it, to a count
}

struct CpuidEntry {
  leaf @0 :UInt32;
  subleaf @1 :UInt32;
  subleafMatters @2 :Bool;
  eax @3 :UInt32;
  ebx @4 :UInt32;
  ecx @5 :UInt32;
  edx @6 :UInt32;
}

enum RunState {
  runnable @0;
  uninitialized @1;              # waits for INIT
  initReceived @2;               # waits for SIPI
  halted @3;
  sipiReceived @4;
}

struct Registers {
  rax @0 :UInt64;
  rbx @1 :UInt64;
  rcx @2 :UInt64;
  rdx @3 :UInt64;
  rsi @4 :UInt64;
  rdi @5 :UInt64;
  rsp @6 :UInt64;
  rbp @7 :UInt64;
  r8 @8 :UInt64;
  r9 @9 :UInt64;
  r10 @10 :UInt64;
  r11 @11 :UInt64;
  r12 @12 :UInt64;
  r13 @13 :UInt64;
  r14 @14 :UInt64;
  r15 @15 :UInt64;
  rip @16 :UInt64;
  rflags @17 :UInt64;
}

struct Segment {
  # With the hidden part, SDM 3A, 3.4.3.
  base @0 :UInt64;
  limit @1 :UInt32;              # in bytes, scaled
  selector @2 :UInt16;
  type @3 :UInt8;                # 0 to 15
  dpl @4 :UInt8;                 # 0 to 3
  s @5 :Bool;
  present @6 :Bool;
  avl @7 :Bool;
  l @8 :Bool;
  db @9 :Bool;
  g @10 :Bool;
  unusable @11 :Bool;
}

struct DescriptorTable {
  base @0 :UInt64;
  limit @1 :UInt16;
}

struct SystemRegisters {
  cs @0 :Segment;
  ds @1 :Segment;
  es @2 :Segment;
  fs @3 :Segment;
  gs @4 :Segment;
  ss @5 :Segment;
  tr @6 :Segment;
  ldt @7 :Segment;
  gdt @8 :DescriptorTable;
  idt @9 :DescriptorTable;
  cr0 @10 :UInt64;
  cr2 @11 :UInt64;
  cr3 @12 :UInt64;
  cr4 @13 :UInt64;
  cr8 @14 :UInt64;
  efer @15 :UInt64;
  apicBase @16 :UInt64;          # IA32_APIC_BASE
}

struct DebugRegisters {
  db @0 :List(UInt64);           # DR0 to DR3: 4
  dr6 @1 :UInt64;
  dr7 @2 :UInt64;
}

struct ExtendedState {
  xcr0 @0 :UInt64;
  area @1 :Data;                 # XSAVE standard format, SDM 1, 13.4: 576 bytes to 64 KiB. Components in initial state are zero.
}

struct Msr {
  index @0 :UInt32;
  value @1 :UInt64;
}

struct PendingEvents {
  exceptionInjected @0 :Bool;
  exceptionPending @1 :Bool;
  exceptionHasErrorCode @2 :Bool;
  exceptionHasPayload @3 :Bool;
  exceptionVector @4 :UInt8;
  exceptionErrorCode @5 :UInt32;
  exceptionPayload @6 :UInt64;
  interruptInjected @7 :Bool;
  interruptSoft @8 :Bool;
  interruptVector @9 :UInt8;
  shadowSti @10 :Bool;
  shadowMovSs @11 :Bool;
  nmiInjected @12 :Bool;
  nmiPending @13 :Bool;
  nmiMasked @14 :Bool;
  sipiVector @15 :UInt8;
  smmActive @16 :Bool;
  smiPending @17 :Bool;
  smmInsideNmi @18 :Bool;
  smiLatchedInit @19 :Bool;
  tripleFaultPending @20 :Bool;
}
