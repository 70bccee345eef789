// The CPU in software executes anything: code, registers, page tables and descriptors are the fuzzer's, and so is what
// devices answer. Whatever a guest does, the host neither crashes nor hangs nor touches memory that is not the guest's:
// RAM lies between pages that nobody may touch.
//
// An input is: how the processor begins, its registers, words that are written over a machine that would work, what
// happens around it, code.

#include <sys/mman.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>
#include <variant>

#include "tests/fuzz/fuzz_input.h"
#include "vmm/hypervisor/cpu_template/cpu_template.h"
#include "vmm/hypervisor/hypervisor.h"
#include "vmm/hypervisor/soft/soft_hypervisor.h"
#include "vmm/result/check.h"

namespace {

using namespace qm;

constexpr std::uint64_t kPage = 4096, kRamBytes = 64 * kPage, kGuardBytes = 256 * kPage;
// Physical, and by the identity mapping linear: the tables, a page each; code; handlers below it.
constexpr std::uint64_t kRoot = 0x1000, kPointers = 0x2000, kDirectory = 0x3000, kTable = 0x4000, kGdt = 0x5000,
                        kIdt = 0x6000, kTss = 0x7000, kHandlers = 0x8000, kCode = 0xa000;
constexpr std::size_t kMostExits = 40, kMostKicks = 2;

// Memory between two that nobody may touch.
class Ram {
 public:
  Ram() {
    void* whole = ::mmap(nullptr, kRamBytes + 2 * kGuardBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(whole != MAP_FAILED);
    bytes_ = {static_cast<std::byte*>(whole) + kGuardBytes, kRamBytes};
    CHECK(::mprotect(bytes_.data(), bytes_.size(), PROT_READ | PROT_WRITE) == 0);
  }
  Ram(const Ram&) = delete;
  Ram& operator=(const Ram&) = delete;
  ~Ram() { ::munmap(bytes_.data() - kGuardBytes, kRamBytes + 2 * kGuardBytes); }

  std::span<std::byte> bytes() const { return bytes_; }
  // As much of it as there is room for.
  void write(std::uint64_t at, std::span<const std::byte> from) const {
    const std::uint64_t start = at % kRamBytes;
    std::ranges::copy(from.first(std::min<std::size_t>(from.size(), kRamBytes - start)), bytes_.subspan(start).begin());
  }
  void word(std::uint64_t at, std::uint64_t value) const { write(at, std::as_bytes(std::span(&value, 1))); }

 private:
  std::span<std::byte> bytes_;
};

// Kicks whoever runs, every few milliseconds: a guest may loop for ever, or sleep.
class Kicker {
 public:
  Kicker() : thread_([this] { loop(); }) {}
  Kicker(const Kicker&) = delete;
  Kicker& operator=(const Kicker&) = delete;
  ~Kicker() {
    set(nullptr, true);
    thread_.join();
  }
  // Null: nobody.
  void kick(Vcpu* vcpu) { set(vcpu, false); }

 private:
  void set(Vcpu* vcpu, bool isOver) {
    {
      const std::lock_guard lock(mutex_);
      vcpu_ = vcpu;
      isOver_ = isOver;
    }
    changed_.notify_all();
  }
  void loop() {
    std::unique_lock lock(mutex_);
    while (!isOver_) {
      changed_.wait_for(lock, std::chrono::milliseconds(5), [this] { return isOver_; });
      if (vcpu_ != nullptr) vcpu_->kick();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  Vcpu* vcpu_ = nullptr;
  bool isOver_ = false;
  std::thread thread_;
};

// ---- a machine that would work

// SDM 3A, 4.5: present, writable, user.
void mapOneToOne(const Ram& ram) {
  constexpr std::uint64_t kOpen = 7;
  ram.word(kRoot, kPointers | kOpen);
  ram.word(kRoot + 0xff8, kPointers | kOpen);  // the upper half too
  ram.word(kPointers, kDirectory | kOpen);
  ram.word(kPointers + 0xff0, kDirectory | kOpen);
  ram.word(kPointers + 8 * 3, 0xc000'0000 | kOpen | 0x80);  // a GiB of devices
  ram.word(kDirectory, kTable | kOpen);
  for (std::uint64_t page = 0; page < kRamBytes; page += kPage) ram.word(kTable + page / kPage * 8, page | kOpen);
}

// SDM 3A, 3.4.5, 6.14.1, 7.2.3.
void describeSegments(const Ram& ram) {
  constexpr std::array<std::uint64_t, 8> kDescriptors{
      0,
      0x00af'9b00'0000'ffff,  // 0x08: code of 64 bits
      0x00cf'9300'0000'ffff,  // 0x10: data
      0x00cf'fb00'0000'ffff,  // 0x18: code of 32 bits, ring 3
      0x00cf'f300'0000'ffff,  // 0x20: data, ring 3
      0x00af'fb00'0000'ffff,  // 0x28: code of 64 bits, ring 3
      0x0000'8900'7000'0067,  // 0x30: the TSS at kTss, and its upper half
      0,
  };
  ram.write(kGdt, std::as_bytes(std::span(kDescriptors)));
  for (std::uint64_t vector = 0; vector < 256; ++vector) {
    const std::uint64_t handler = kHandlers + vector % 32 * 16, isTrap = vector % 2;
    ram.word(kIdt + vector * 16, (handler & 0xffff) | 8U << 16U | (0xee00U | isTrap << 8U) << 32U |
                                     (vector == 8 ? std::uint64_t{1} << 32U : 0));
    ram.word(kIdt + vector * 16 + 8, 0);
  }
  for (std::uint64_t at = 4; at < 0x60; at += 8) ram.word(kTss + at, 0x2'0000);
}

Segment segmentOf(std::uint16_t selector, std::uint8_t type, std::uint8_t dpl) {
  return {.limit = 0xffff'ffff, .selector = selector, .type = type, .dpl = dpl, .s = true, .present = true, .g = true};
}

SystemRegisters longMode(std::uint8_t ring, SystemRegisters system) {
  constexpr std::uint64_t kLme = 1U << 8U, kLma = 1U << 10U, kSce = 1, kNxe = 1U << 11U;
  system.cr0 = 0x8001'0033;
  system.cr3 = kRoot;
  system.cr4 = 0x1'06b0;  // PSE, PAE, PGE, OSFXSR, OSXMMEXCPT, FSGSBASE
  system.efer = kLme | kLma | kSce | kNxe;
  system.cs = segmentOf(ring == 0 ? 0x08 : 0x2b, 0xb, ring);
  system.cs.l = true;
  system.ss = segmentOf(ring == 0 ? 0x10 : 0x23, 3, ring);
  system.ss.db = true;
  system.ds = system.es = system.fs = system.gs = system.ss;
  return system;
}

SystemRegisters protectedMode(SystemRegisters system) {
  system.cr0 = 0x11;
  system.efer = 0;
  system.cs = segmentOf(8, 0xb, 0);
  system.cs.db = true;
  system.ss = segmentOf(0x10, 3, 0);
  system.ss.db = true;
  system.ds = system.es = system.fs = system.gs = system.ss;
  return system;
}

SystemRegisters beginning(fuzz::Input& input, SystemRegisters system) {
  const std::uint8_t how = input.byte();
  system.gdt = {.base = kGdt, .limit = 0x3f};
  system.idt = {.base = kIdt, .limit = 0xfff};
  system.tr = {.base = kTss, .limit = 0x67, .selector = 0x30, .type = 0xb, .present = true};
  if (how % 8 == 7) {
    system.cs.base = 0;
    system.cs.selector = 0;
    system.idt = {.base = 0, .limit = 0x3ff};
    return system;  // real mode, as after power-up
  }
  if (how % 8 == 6) return protectedMode(system);
  system = longMode(how % 8 == 5 ? 3 : 0, system);
  if ((how & 0x80) != 0) {  // control bits of the fuzzer's choice
    system.cr0 ^= input.number<std::uint32_t>() & 0x0005'002e;
    system.cr4 ^= input.number<std::uint32_t>();
    system.cr3 ^= input.number<std::uint16_t>();
  }
  if ((how & 0x40) != 0) system.fs.base = input.number<std::uint64_t>();
  if ((how & 0x20) != 0) system.cs.l = false, system.cs.db = (how & 0x10) != 0;
  return system;
}

// Most of them lead somewhere.
std::uint64_t anyNumber(fuzz::Input& input) {
  const std::uint8_t kind = input.byte();
  switch (kind % 6) {
    case 0:
      return input.number<std::uint64_t>();
    case 1:
      return input.number<std::uint16_t>();
    case 2:
      return std::uint64_t{kind} / 6 * kPage - kind % 16;  // about a page's end
    case 3:
      return kRamBytes - kind % 64;
    case 4:
      return 0xffff'ff80'0000'0000 + input.number<std::uint16_t>();
    default:
      return 0xc000'0000 + input.number<std::uint16_t>();
  }
}

Registers anyRegisters(fuzz::Input& input) {
  Registers registers;
  for (std::uint64_t* one : {&registers.rax, &registers.rbx, &registers.rcx, &registers.rdx, &registers.rsi,
                             &registers.rdi, &registers.rbp, &registers.r8, &registers.r9, &registers.r10,
                             &registers.r11, &registers.r12, &registers.r13, &registers.r14, &registers.r15}) {
    *one = anyNumber(input);
  }
  registers.rsp = input.byte() % 4 == 0 ? anyNumber(input) : 0x3'0000;
  registers.rflags = (input.number<std::uint32_t>() & 0x0024'7fd5U) | 2U;
  registers.rip = input.byte() % 16 == 0 ? anyNumber(input) : kCode;
  return registers;
}

void overwrite(fuzz::Input& input, const Ram& ram) {
  for (unsigned words = input.byte() % 16; words > 0; --words) {
    const std::uint8_t where = input.byte();
    // A word of a table or anywhere.
    const std::uint64_t at =
        where < 0xe0 ? kRoot + where % 7 * kPage + input.byte() * 8U : input.number<std::uint32_t>();
    ram.word(at, anyNumber(input));
  }
}

// ---- what happens around the processor

class World {
 public:
  World(Hypervisor& hypervisor, fuzz::Input& input, const Ram& ram)
      : hypervisor_(hypervisor), input_(input), ram_(ram), vm_(hypervisor.createVm(PitModel::present).value()) {
    CHECK(vm_->setMemory({.index = 0, .start = {}, .host = ram.bytes().first(kRamBytes - kPage)}).has_value());
    // The last page is somewhere else again, alone.
    CHECK(vm_->setMemory({.index = 1,
                          .start = GuestAddress{kRamBytes - kPage},
                          .host = ram.bytes().last(kPage),
                          .dirtyLogging = DirtyLogging::on})
              .has_value());
    vcpu_ = vm_->createVcpu(0).value();
  }
  Vcpu& vcpu() { return *vcpu_; }

  // False: it is over.
  bool handle(const VcpuExit& exit) {
    if (std::holds_alternative<MmioRead>(exit) || std::holds_alternative<IoRead>(exit))
      vcpu_->completeRead(anyNumber(input_));
    if (std::holds_alternative<Fault>(exit) || std::holds_alternative<Shutdown>(exit)) return false;
    if (std::holds_alternative<Interrupted>(exit) && ++kicks_ == kMostKicks) return false;
    act();
    return true;
  }

 private:
  void act() {
    const std::uint8_t what = input_.byte();
    switch (what % 8) {
      case 1:
        static_cast<void>(vm_->setInterruptLine(what / 8U, true));
        break;
      case 2:
        static_cast<void>(vm_->setInterruptLine(what / 8U, false));
        break;
      case 3:
        ram_.write(what * 0x400ULL, input_.take(16));
        vm_->deviceWrote(GuestAddress{what * 0x400ULL}, 16);
        break;
      case 4:
        static_cast<void>(vm_->takeDirtyLog(1));
        break;
      case 5:
        saveAndLoad();
        break;
      default:
        break;
    }
  }
  void saveAndLoad() {
    const Result<CpuState> saved = vcpu_->save();
    if (!saved.has_value()) return;
    const std::unique_ptr<Vm> other = hypervisor_.createVm(PitModel::present).value();
    const std::unique_ptr<Vcpu> copy = other->createVcpu(0).value();
    CHECK(copy->setCpuid(saved->cpuid).has_value());
    if (!copy->load(*saved).has_value()) return;
    static_cast<void>(other->load(vm_->save().value()));
    static_cast<void>(copy->save());
  }

  Hypervisor& hypervisor_;
  fuzz::Input& input_;
  const Ram& ram_;
  std::unique_ptr<Vm> vm_;
  std::unique_ptr<Vcpu> vcpu_;
  std::size_t kicks_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::unique_ptr<Hypervisor> hypervisor = openSoft({.clock = SoftClock::instructions, .seed = 1}).value();
  static const CpuidTable cpuid = applyCpuTemplate("host", hypervisor->supportedCpuid().value(), 0, 1).value();
  static Kicker kicker;
  const Ram ram;
  mapOneToOne(ram);
  describeSegments(ram);
  fuzz::Input input(data, size);
  World world(*hypervisor, input, ram);
  Vcpu& vcpu = world.vcpu();
  CHECK(vcpu.setCpuid(cpuid).has_value());
  const SystemRegisters system = beginning(input, vcpu.systemRegisters().value());
  if (!vcpu.setRegisters(anyRegisters(input), system).has_value()) return 0;
  overwrite(input, ram);
  // Code and handlers from the same bytes; what is left over answers.
  const std::span<const std::byte> code = input.take(input.byte() * 4U);
  ram.write(kHandlers, code);
  ram.write(kCode, code);
  kicker.kick(&vcpu);
  for (std::size_t exits = 0; exits < kMostExits; ++exits) {
    if (!world.handle(vcpu.run())) break;
  }
  kicker.kick(nullptr);
  return 0;
}
