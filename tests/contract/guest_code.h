// A guest program, written instruction by instruction: each function appends one instruction (its mnemonic in Intel's
// order stands beside it) or one short idiom. A value: it holds bytes and labels, and knows no machine.
// Encodings: Intel SDM, volume 2. Modelled: what the contract's guests use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "vmm/memory/guest_address.h"

namespace qm::contract {

enum class Reg : std::uint8_t { rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15 };
enum class Width : std::uint8_t { byte = 1, word = 2, dword = 4, qword = 8 };
// Which a segment's code is: decides what the operand-size prefix means.
enum class CodeSize : std::uint8_t { bits16, bits64 };
enum class Repeat : std::uint8_t { once, rcxTimes };

class GuestCode {
 public:
  explicit GuestCode(GuestAddress origin, CodeSize size = CodeSize::bits64) : origin_(origin), size_(size) {}

  // A place in the code; bound once, jumped to from before or after.
  class Label {
    friend class GuestCode;
    explicit Label(std::size_t index) : index_(index) {}
    std::size_t index_;
  };
  Label label();
  void bind(Label label);
  Label here();  // a label, bound
  GuestAddress address(Label label) const;

  // Both sizes of code. Register operands are rax to rdi in 16-bit code.
  void out(std::uint8_t port, Width width);                 // out imm8, al|ax|eax
  void in(std::uint8_t port, Width width);                  // in al|ax|eax, imm8
  void outDx(Width width);                                  // out dx, al|ax|eax
  void inDx(Width width);                                   // in al|ax|eax, dx
  void outs(Width width, Repeat repeat);                    // [rep] outs
  void ins(Width width, Repeat repeat);                     // [rep] ins
  void move(Reg to, std::uint64_t value);                   // mov r64, imm64; mov r16, imm16
  void hlt() { raw({0xf4}); }                               // hlt
  void cli() { raw({0xfa}); }                               // cli
  void sti() { raw({0xfb}); }                               // sti
  void nop() { raw({0x90}); }                               // nop
  void ud2() { raw({0x0f, 0x0b}); }                         // ud2
  void int3() { raw({0xcc}); }                              // int3
  void cpuid() { raw({0x0f, 0xa2}); }                       // cpuid
  void rdmsr() { raw({0x0f, 0x32}); }                       // rdmsr
  void wrmsr() { raw({0x0f, 0x30}); }                       // wrmsr
  void rdtsc() { raw({0x0f, 0x31}); }                       // rdtsc
  void jump(Label to) { branch({0xe9}, to); }               // jmp
  void jumpIfZero(Label to) { branch({0x0f, 0x84}, to); }   // jz
  void jumpIfNot(Label to) { branch({0x0f, 0x85}, to); }    // jnz
  void jumpIfCarry(Label to) { branch({0x0f, 0x82}, to); }  // jc

  // 16-bit code.
  void clearDs();                               // xor ax, ax; mov ds, ax
  void lockIncrement16(std::uint16_t address);  // lock inc word [disp16]

  // 64-bit code.
  void move(Reg to, Reg from) { rex({0x89}, from, to); }         // mov r64, r64
  void add(Reg to, Reg from) { rex({0x01}, from, to); }          // add
  void exclusiveOr(Reg to, Reg from) { rex({0x31}, from, to); }  // xor
  void rdrand(Reg to) { rex({0x0f, 0xc7}, Reg{6}, to); }         // rdrand r64
  void compare(Reg a, Reg b) { rex({0x39}, b, a); }              // cmp
  void multiply(Reg to, Reg by) { rex({0x0f, 0xaf}, to, by); }   // imul r64, r64
  void increment(Reg which) { rex({0xff}, Reg{0}, which); }      // inc
  void decrement(Reg which) { rex({0xff}, Reg{1}, which); }      // dec
  void divide(Reg by) { rex({0xf7}, Reg{6}, by); }               // div: rdx:rax by r64
  void shiftRight(Reg which, std::uint8_t bits);                 // shr r64, imm8
  void push(Reg which);                                          // push r64
  void pop(Reg which);                                           // pop r64
  void iret() { raw({0x48, 0xcf}); }                             // iretq
  void load(Reg to, Reg at, Width width);                        // mov|movzx to, [at]
  void store(Reg at, Reg from, Width width);                     // mov [at], from
  void storeImmediate(Reg at, std::uint32_t value);              // mov dword [at], imm32
  void lockIncrement(Reg at);                                    // lock inc qword [at]
  void lockCompareExchange16(Reg at);                            // lock cmpxchg16b [at]
  void moveFromControl(Reg to, std::uint8_t number);             // mov r64, crN
  void moveToControl(std::uint8_t number, Reg from);             // mov crN, r64
  void moveFromDebug(Reg to, std::uint8_t number);               // mov r64, drN
  void moveToDebug(std::uint8_t number, Reg from);               // mov drN, r64
  void invalidatePage(Reg at);                                   // invlpg [at]
  void loadXmm(std::uint8_t xmm, Reg at);                        // movdqu xmm, [at]
  void storeXmm(Reg at, std::uint8_t xmm);                       // movdqu [at], xmm
  void loadMxcsr(Reg at) { memory({0x0f, 0xae}, 2, at); }        // ldmxcsr [at]
  void storeMxcsr(Reg at) { memory({0x0f, 0xae}, 3, at); }       // stmxcsr [at]
  void initialiseX87() { raw({0xdb, 0xe3}); }                    // fninit
  void pushPi() { raw({0xd9, 0xeb}); }                           // fldpi
  void popReal(Reg at) { memory({0xdb}, 7, at); }                // fstp tbyte [at]

  // Idioms, 64-bit code.
  void poke(std::uint64_t address, std::uint32_t value);    // clobbers rdi
  void writeMsr(std::uint32_t index, std::uint64_t value);  // clobbers rax, rcx, rdx
  void report(std::uint8_t port, Reg from);                 // the low 4 bytes to a port; clobbers rax
  void report(std::uint8_t port, std::uint32_t value);      // clobbers rax

  std::span<const std::byte> bytes() const { return bytes_; }
  GuestAddress origin() const { return origin_; }

 private:
  void raw(std::initializer_list<std::uint8_t> bytes);
  void little(std::uint64_t value, std::size_t bytes);
  void operandSize(Width width);
  void rexPrefix(bool wide, Reg reg, Reg rm);
  void rex(std::initializer_list<std::uint8_t> opcode, Reg reg, Reg rm);
  void memory(std::initializer_list<std::uint8_t> opcode, std::uint8_t reg, Reg at);
  void modrmMemory(std::uint8_t reg, Reg at);
  void branch(std::initializer_list<std::uint8_t> opcode, Label to);
  void patch(std::size_t at, std::size_t target);

  struct Place {
    std::optional<std::size_t> offset;
    std::vector<std::size_t> waiting;  // where its distance is to be written
  };

  GuestAddress origin_;
  CodeSize size_;
  std::vector<std::byte> bytes_;
  std::vector<Place> labels_;
};

}  // namespace qm::contract
