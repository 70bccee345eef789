// A guest that changes its own code, for prepared_blocks_test.cpp: 64-bit mode, ring 0, at address 0x10000, memory
// mapped one to one. Each of its rounds reports a sum to port 0x10; a write to port 0x11 ends it.

  .section .rodata.prepared_guest, "a"
  .balign 4096
  .globl prepared_guest
prepared_guest:
  mov $4, %ebx
  xor %r12d, %r12d
round:
  call loops_in_another_page
  call written_by_the_guest
  add %eax, %r12d
  call written_by_the_host
  add %eax, %r12d
  jmp reaches_into_the_next_page
goes_on:
  rdtsc
  add %eax, %r12d
  mov %r12d, %eax
  out %eax, $0x10
  incl (written_by_the_guest + 1)(%rip) // its immediate
  dec %ebx
  jnz round
  out %eax, $0x11

  .balign 4096
loops_in_another_page:
  mov $20, %ecx
1:
  lea 3(%r12, %rcx), %r12d
  test $1, %ecx
  jz 2f
  inc %r12d
2:
  dec %ecx
  jnz 1b
  ret

  .skip 4096 - 3 - (. - loops_in_another_page)
reaches_into_the_next_page:
  lea 0x12345(%r12), %r12d // 8 bytes
  jmp goes_on

  .balign 4096
written_by_the_guest:
  mov $1, %eax
  ret

  .balign 4096
  .globl written_by_the_host
written_by_the_host:
  mov $0x100, %eax
  ret

  .balign 4096
  .globl prepared_guest_end
prepared_guest_end:

  .section .note.GNU-stack, "", @progbits
