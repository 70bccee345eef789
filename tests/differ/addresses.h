// The sandbox's addresses and offsets as the preprocessor's, for the assembly alone; layout.h checks each of them
// against the C++ side's types and gives them names.
#pragma once

#define DIFFER_SANDBOX 0x10000000
#define DIFFER_CONTROL (DIFFER_SANDBOX + 0x1000)
#define DIFFER_CURRENT (DIFFER_CONTROL + 0)
#define DIFFER_END (DIFFER_CONTROL + 8)
#define DIFFER_EXIT (DIFFER_CONTROL + 16)
#define DIFFER_EPILOGUE (DIFFER_CONTROL + 24)
#define DIFFER_TARGET (DIFFER_CONTROL + 32)
#define DIFFER_SAVED_RSP (DIFFER_CONTROL + 40)
#define DIFFER_HOST_RSP (DIFFER_CONTROL + 48)
#define DIFFER_HOST_FS (DIFFER_CONTROL + 56)
#define DIFFER_HOST_GS (DIFFER_CONTROL + 64)
#define DIFFER_HAS_AVX (DIFFER_CONTROL + 72)
#define DIFFER_HOST_FX (DIFFER_CONTROL + 0x200)
#define DIFFER_CONTROL_STACK (DIFFER_CONTROL + 0x1000)
#define DIFFER_SLOT_BYTES 0x10000

/* The guest's kernel, in its first 2 MiB, which are mapped to themselves. */
#define DIFFER_KERNEL_CODE 0x4000
#define DIFFER_KERNEL_STACK 0x9000
#define DIFFER_DONE_VECTOR 0x80
#define DIFFER_DONE_PORT 0x11
#define DIFFER_FAULT_PORT 0x12
#define DIFFER_USER_CODE 0x33
#define DIFFER_USER_STACK 0x2b

/* struct LoadedState, at the start of a slot */
#define DIFFER_IN_FX 0
#define DIFFER_IN_FS 512
#define DIFFER_IN_GS 520
#define DIFFER_IN_ENTRY 528
#define DIFFER_IN_GPRS 536
#define DIFFER_IN_UPPER 672

/* struct StoredState */
#define DIFFER_OUT 0x800
#define DIFFER_OUT_FX (DIFFER_OUT + 0)
#define DIFFER_OUT_FS (DIFFER_OUT + 512)
#define DIFFER_OUT_GS (DIFFER_OUT + 520)
#define DIFFER_OUT_VECTOR (DIFFER_OUT + 528)
#define DIFFER_OUT_ERROR (DIFFER_OUT + 536)
#define DIFFER_OUT_RIP (DIFFER_OUT + 544)
#define DIFFER_OUT_CR2 (DIFFER_OUT + 552)
#define DIFFER_OUT_GPRS (DIFFER_OUT + 560)
#define DIFFER_OUT_UPPER (DIFFER_OUT + 704)
#define DIFFER_OUT_RSP (DIFFER_OUT_GPRS + 16 * 8)
