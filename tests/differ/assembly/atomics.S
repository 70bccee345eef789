// Exchanges and compare-exchanges, with and without LOCK. SDM 2A and 2B, CMPXCHG, CMPXCHG8B/16B, XADD, XCHG.
#include "tests/differ/assembly/program.inc"

PROGRAM(ExchangeThatFailsLoadsWhatIsThere)
  mov qword ptr [rdi], 5
  mov rax, 4
  mov rbx, 9
  lock cmpxchg [rdi], rbx
  EXPECT_FLAGS(ZF, 0)
  EXPECT(rax, 5)
  EXPECT_MEMORY([rdi], 5)
  lock cmpxchg [rdi], rbx
  EXPECT_FLAGS(ZF, ZF)
  EXPECT_MEMORY([rdi], 9)
END_PROGRAM(ExchangeThatFailsLoadsWhatIsThere)

PROGRAM(ExchangeOf32BitsTouchesUpperHalvesAsMovesWould)
  mov dword ptr [rdi], 7
  mov rax, -1
  mov eax, 7
  mov rbx, -1
  or rax, rbx
  mov eax, 8
  cmpxchg [rdi], ebx             // fails: eax is loaded, and its upper half cleared
  EXPECT(rax, 7)
  mov rcx, -1
  mov rax, -1
  cmpxchg ecx, ebx               // succeeds
  EXPECT(rcx, 0xffffffff)
END_PROGRAM(ExchangeOf32BitsTouchesUpperHalvesAsMovesWould)

PROGRAM(CounterByCompareExchange)
  mov ecx, 1000
2:
  mov rax, [rdi]
3:
  lea rbx, [rax + 3]
  lock cmpxchg [rdi], rbx
  jne 3b
  dec ecx
  jnz 2b
  EXPECT_MEMORY([rdi], 3000)
END_PROGRAM(CounterByCompareExchange)

PROGRAM(SixteenBytes)
  mov qword ptr [rdi + 16], 1
  mov qword ptr [rdi + 24], 2
  mov rax, 1
  mov rdx, 3
  mov rbx, 10
  mov rcx, 20
  lock cmpxchg16b [rdi + 16]
  EXPECT_FLAGS(ZF, 0)
  EXPECT(rax, 1)
  EXPECT(rdx, 2)
  lock cmpxchg16b [rdi + 16]
  EXPECT_FLAGS(ZF, ZF)
  EXPECT_MEMORY([rdi + 16], 10)
  EXPECT_MEMORY([rdi + 24], 20)
END_PROGRAM(SixteenBytes)

PROGRAM(EightBytesInHalves)
  movabs rax, 0x0000000200000001
  mov [rdi], rax
  mov rax, -1
  mov rdx, -1
  mov ebx, 5
  mov ecx, 6
  cmpxchg8b [rdi]
  EXPECT_FLAGS(ZF, 0)
  EXPECT(rax, 1)
  EXPECT(rdx, 2)
  cmpxchg8b [rdi]
  EXPECT_FLAGS(ZF, ZF)
  EXPECT_MEMORY([rdi], 0x0000000600000005)
END_PROGRAM(EightBytesInHalves)

PROGRAM(AddAndExchange)
  mov qword ptr [rdi], 40
  mov eax, 2
  lock xadd [rdi], rax
  EXPECT_MEMORY([rdi], 42)
  EXPECT(rax, 40)
  mov ebx, 21
  xadd rbx, rbx                  // the sum is what stays
  EXPECT(rbx, 42)
END_PROGRAM(AddAndExchange)

PROGRAM(ExchangesOfParts)
  mov rax, 0x1122
  xchg al, ah
  EXPECT(rax, 0x2211)
  mov rbx, -1
  xchg eax, ebx
  EXPECT(rax, 0xffffffff)
  EXPECT(rbx, 0x2211)
  mov rax, -1
  xchg eax, eax                  // 87 c0 or 90: the one clears, the other is a no-operation
  .byte 0x87, 0xc0
  EXPECT(rax, 0xffffffff)
  mov byte ptr [rdi], 0x55
  mov eax, 0xaa
  xchg al, [rdi]
  EXPECT(rax, 0x55)
  EXPECT_MEMORY([rdi], 0xaa)
END_PROGRAM(ExchangesOfParts)

PROGRAM(LockedOperationsSetFlags)
  mov qword ptr [rdi], 1
  lock dec qword ptr [rdi]
  EXPECT_FLAGS(ZF, ZF)
  lock sub byte ptr [rdi], 1
  EXPECT_FLAGS(CF | SF | ZF, CF | SF)
  lock neg byte ptr [rdi]
  EXPECT_MEMORY([rdi], 1)
  lock bts qword ptr [rdi], 63
  EXPECT_FLAGS(CF, 0)
  lock btr qword ptr [rdi], 63
  EXPECT_FLAGS(CF, CF)
  lock not qword ptr [rdi]
  EXPECT_MEMORY([rdi], 0xfffffffffffffffe)
END_PROGRAM(LockedOperationsSetFlags)

PROGRAM(LockedOperationAcrossPages)
  lea rbx, [rdi + 4096 - 3]
  mov eax, 0x01020304
  lock add [rbx], eax
  EXPECT_MEMORY([rbx], 0x01020304)
END_PROGRAM(LockedOperationAcrossPages)

  .section .note.GNU-stack, "", @progbits
