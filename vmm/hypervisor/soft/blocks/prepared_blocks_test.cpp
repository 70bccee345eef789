#include "vmm/hypervisor/soft/blocks/prepared_blocks.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "vmm/hypervisor/soft/blocks/code_hints.h"
#include "vmm/hypervisor/soft/prepared_code.h"
#include "vmm/hypervisor/soft/soft_hypervisor.h"
#include "vmm/os/mapping.h"

extern "C" {
extern const std::byte prepared_guest[], prepared_guest_end[], written_by_the_host[];
}

namespace qm::soft {
namespace {

template <class T>
T require(Result<T> result) {
  if (!result.has_value()) throw std::runtime_error(result.error().text());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

constexpr std::uint64_t kRamBytes = 2 << 20, kOrigin = 0x1'0000, kTables = 0x10'0000;
constexpr qm::MemoryDigest kDigest{std::byte{1}, std::byte{2}};

// What a clone begins with: the guest and its page tables (SDM 3A, 4.5), which map the first 2 MiB to themselves.
GuestMemory snapshotMemory() {
  constexpr std::uint64_t kPresent = 1, kWritable = 2, kLarge = 0x80;
  GuestMemory memory = require(GuestMemory::anonymous(kRamBytes));
  require(memory.write(GuestAddress{kOrigin}, {prepared_guest, prepared_guest_end}));
  require(memory.writeObject(GuestAddress{kTables}, (kTables + 0x1000) | kPresent | kWritable));
  require(memory.writeObject(GuestAddress{kTables + 0x1000}, (kTables + 0x2000) | kPresent | kWritable));
  require(memory.writeObject(GuestAddress{kTables + 0x2000}, kPresent | kWritable | kLarge));
  return memory;
}

// All that can be seen of a guest's run.
struct Course {
  std::vector<std::uint32_t> reports;
  Registers registers;
  std::vector<std::byte> memory;
  std::uint64_t instructions = 0;
  bool operator==(const Course&) const = default;
};

class Clone {
 public:
  explicit Clone(const FileDescriptor* prepared = nullptr) {
    for (const GuestMemory::Region& region : memory_.regions())
      require(vm_->setMemory({.start = region.range.start, .host = region.host}));
    for (std::uint32_t index = 0; index < 2; ++index) vcpus_.push_back(require(vm_->createVcpu(index)));
    SystemRegisters system = require(vcpu().systemRegisters());
    system.cr0 = 0x8001'0033;
    system.cr3 = kTables;
    system.cr4 = 0x6a0;   // PAE, PGE, OSFXSR, OSXMMEXCPT
    system.efer = 0xd01;  // SCE, LME, LMA, NXE
    system.cs = {.limit = 0xffff'ffff, .selector = 8, .type = 0xb, .s = true, .present = true, .l = true, .g = true};
    require(vcpu().setCpuid(require(hypervisor_->supportedCpuid())));
    require(vcpu().setRegisters({.rsp = kOrigin, .rip = kOrigin}, system));
    if (prepared != nullptr) adopted_ = vm_->codePreparation()->adopt(*prepared);
  }

  const Status& adopted() const { return adopted_; }
  std::vector<std::byte> hints() { return vm_->codePreparation()->hints(); }

  // The same bytes at another place of the host's.
  void replaceMemory() {
    require(vm_->setMemory({}));
    memory_ = snapshotMemory();
    for (const GuestMemory::Region& region : memory_.regions())
      require(vm_->setMemory({.start = region.range.start, .host = region.host}));
  }

  // Until it has reported so many times, or has ended; before the third, a device writes to its code.
  void run(std::size_t reports = 100) {
    for (;;) {
      const VcpuExit exit = vcpu().run();
      const auto* write = std::get_if<IoWrite>(&exit);
      if (write == nullptr) throw std::runtime_error("an exit that is no write to a port");
      if (write->port == 0x11) return;
      course_.reports.push_back(write->value);
      if (course_.reports.size() == 2) writeCodeAsADevice();
      if (course_.reports.size() == reports) return;
    }
  }

  // Ends it.
  Course course() {
    course_.registers = require(vcpu().registers());
    const std::span<std::byte> ram = memory_.regions()[0].host;
    course_.memory.assign(ram.begin(), ram.end());
    vcpus_.clear();
    vm_.reset();
    course_.instructions = counters_.instructions;
    return course_;
  }
  // After course().
  std::uint64_t decoded() const { return counters_.decoded; }

 private:
  Vcpu& vcpu() { return *vcpus_[0]; }
  void writeCodeAsADevice() {
    const GuestAddress immediate{kOrigin + static_cast<std::uint64_t>(written_by_the_host - prepared_guest) + 1};
    require(memory_.writeObject(immediate, std::uint32_t{0x5000}));
    vm_->deviceWrote(immediate, 4);
  }

  SoftCounters counters_;
  GuestMemory memory_ = snapshotMemory();
  std::unique_ptr<Hypervisor> hypervisor_ = require(
      openSoft({.clock = SoftClock::instructions,
                .observer = {.onUnmodelled = {}, .onEnd = [this](const SoftCounters& all) { counters_ = all; }}}));
  std::unique_ptr<Vm> vm_ = require(hypervisor_->createVm(PitModel::absent));
  std::vector<std::unique_ptr<Vcpu>> vcpus_;
  Status adopted_;
  Course course_;
};

std::vector<std::byte> hintsOfATrial() {
  Clone trial;
  trial.run(1);
  return trial.hints();
}

std::vector<std::byte> prepareFrom(const GuestMemory& memory, std::vector<std::byte> hints) {
  return require(prepareSoftCode(memory, kDigest, std::array{std::move(hints)}));
}

std::vector<std::byte> prepared() {
  return prepareFrom(snapshotMemory(), hintsOfATrial());
}

PreparedHeader headerOf(std::span<const std::byte> bytes) {
  PreparedHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  return header;
}

// ---- what prepared blocks do

TEST(PreparedBlocks, ACloneOfAPreparedSnapshotDecodesNothingOfWhatATrialHasRun) {
  const FileDescriptor sealed = require(sealSoftCode(prepared(), kDigest));
  Clone clone(&sealed);
  ASSERT_TRUE(clone.adopted().has_value()) << clone.adopted().error().text();
  clone.run(1);
  const Course course = clone.course();
  EXPECT_GT(course.instructions, 100U);
  EXPECT_EQ(clone.decoded(), 0U);
}

TEST(PreparedBlocks, AGuestRunsTheSameWithThemAlsoWhereItAndDevicesWriteToItsCode) {
  const FileDescriptor sealed = require(sealSoftCode(prepared(), kDigest));
  Clone with(&sealed), without;
  ASSERT_TRUE(with.adopted().has_value()) << with.adopted().error().text();
  with.run();
  without.run();
  const Course expected = without.course();
  EXPECT_EQ(expected.reports.size(), 4U);
  EXPECT_EQ(with.course(), expected);
  EXPECT_LT(with.decoded(), without.decoded());
}

// What a clone writes to its blocks stays with it.
TEST(PreparedBlocks, ServeTheNextCloneAsTheyServedTheFirst) {
  const FileDescriptor sealed = require(sealSoftCode(prepared(), kDigest));
  Clone first(&sealed), second(&sealed);
  first.run();
  second.run();
  EXPECT_EQ(first.course(), second.course());
}

TEST(PreparedBlocks, AreForgottenWhenTheMemoryIsAnother) {
  const FileDescriptor sealed = require(sealSoftCode(prepared(), kDigest));
  Clone clone(&sealed);
  clone.replaceMemory();
  clone.run(1);
  EXPECT_EQ(clone.course().reports.size(), 1U);
  EXPECT_GT(clone.decoded(), 10U);
}

// ---- what is prepared

TEST(PreparedBlocks, AreLinkedToEachOther) {
  const std::vector<std::byte> bytes = prepared();
  Mapping copy = require(Mapping::anonymous(bytes.size()));
  std::ranges::copy(bytes, copy.bytes().begin());
  const PreparedBlocks blocks = require(PreparedBlocks::over(copy.bytes()));
  const auto linked = std::ranges::count_if(blocks.operations(), [](const Operation& one) {
    return one.length <= 2 && one.third != 0 && (one.chain[0] != 0 || one.chain[1] != 0);
  });
  EXPECT_GE(linked, 3);  // the loop's: back, over the addition, and on from it
}

TEST(PreparedBlocks, AreAPureFunctionOfTheSnapshotAndTheHints) {
  EXPECT_EQ(prepared(), prepared());
}

TEST(PreparedBlocks, LeaveOutCodeThatTheTrialWroteItself) {
  GuestMemory other = snapshotMemory();
  require(other.write(GuestAddress{kOrigin}, std::vector(3 * 4096, std::byte{0x90})));
  const auto bytes = prepareFrom(other, hintsOfATrial());
  EXPECT_EQ(headerOf(bytes).pages, 2U);  // the two that are as they were
}

TEST(PreparedBlocks, LeaveOutHintsThatNameNoBlock) {
  const std::vector<CodeHint> honest = require(decodeHints(hintsOfATrial()));
  ASSERT_FALSE(honest.empty());
  std::vector<CodeHint> hostile;
  for (const CodeHint& hint : honest) {
    for (const std::uint64_t key : {hint.key + kRamBytes, hint.key ^ std::uint64_t{3} << 52U, hint.key ^ 1U << 31U,
                                    hint.key | std::uint64_t{0x800} << 52U})
      hostile.push_back({.key = key, .secondPage = hint.secondPage, .bytes = hint.bytes, .digest = hint.digest});
    hostile.push_back({.key = hint.key, .secondPage = 0x123, .bytes = hint.bytes, .digest = hint.digest});
    hostile.push_back({.key = hint.key, .secondPage = 0, .bytes = hint.bytes + 1, .digest = hint.digest});
  }
  const auto bytes = prepareFrom(snapshotMemory(), encodeHints(hostile));
  EXPECT_EQ(headerOf(bytes).operations, 0U);
}

TEST(PreparedBlocks, NothingPreparedIsAFileToo) {
  const auto bytes = require(prepareSoftCode(snapshotMemory(), kDigest, {}));
  const FileDescriptor sealed = require(sealSoftCode(bytes, kDigest));
  Clone clone(&sealed);
  EXPECT_TRUE(clone.adopted().has_value());
  clone.run(1);
  EXPECT_EQ(clone.course().reports.size(), 1U);
}

// ---- what is refused

TEST(PreparedBlocks, OfAnotherProgramAreRefusedAndTheGuestRunsWithoutThem) {
  std::vector<std::byte> bytes = prepared();
  PreparedHeader header = headerOf(bytes);
  header.semantics[0] ^= std::byte{1};
  std::memcpy(bytes.data(), &header, sizeof header);
  const FileDescriptor sealed = require(sealSoftCode(bytes, kDigest));
  Clone with(&sealed), without;
  EXPECT_FALSE(with.adopted().has_value());
  with.run();
  without.run();
  EXPECT_EQ(with.course(), without.course());
}

TEST(PreparedBlocks, OfAnotherMemoryAreNotSealed) {
  EXPECT_FALSE(sealSoftCode(prepared(), qm::MemoryDigest{}).has_value());
}

TEST(PreparedBlocks, ThatAreDamagedAreNotSealed) {
  const std::vector<std::byte> whole = prepared();
  for (std::size_t at = PreparedBlocks::kOperationsAt; at < whole.size(); at += 97) {
    std::vector<std::byte> damaged = whole;
    damaged[at] ^= std::byte{0x10};
    EXPECT_FALSE(sealSoftCode(damaged, kDigest).has_value()) << at;
  }
  for (std::size_t bytes = 0; bytes < whole.size(); bytes += 511)
    EXPECT_FALSE(sealSoftCode(std::span(whole).first(bytes), kDigest).has_value()) << bytes;
}

TEST(PreparedBlocks, InAFileThatCanBeChangedAreRefused) {
  const std::vector<std::byte> bytes = prepared();
  const FileDescriptor file = require(createMemfd("not-sealed", bytes.size()));
  require(writeAt(file, 0, bytes));
  EXPECT_FALSE(Clone(&file).adopted().has_value());
}

TEST(CodeHints, AreReadAsTheyWereWrittenAndNothingElseIs) {
  const std::vector<CodeHint> hints{{.key = 7, .secondPage = 0x1000, .bytes = 3, .digest = 9}, {.key = 8}};
  std::vector<std::byte> bytes = encodeHints(hints);
  EXPECT_EQ(require(decodeHints(bytes)), hints);
  bytes.pop_back();
  EXPECT_FALSE(decodeHints(bytes).has_value());
  EXPECT_FALSE(decodeHints(std::vector(8, std::byte{})).has_value());
  EXPECT_FALSE(decodeHints({}).has_value());
}

// ---- keys

TEST(BlockKey, KeepsAllThatDecodingDependsOn) {
  for (const std::uint64_t monitor : {std::uint64_t{0}, cr0::kMp}) {
    for (const UnitState unit : {UnitState::open, UnitState::notAvailable, UnitState::invalid}) {
      SystemState state, again;
      state.codeSize = CodeSize::bits64;
      state.vectorUnit = state.mmxUnit = unit;
      state.x87Unit = UnitState::notAvailable;
      state.cr0 = monitor;
      const BlockKey key = blockKey(0xf'ffff'ffff'fffe, state);
      ASSERT_TRUE(setMode(again, key));
      EXPECT_EQ(physicalOf(key), 0xf'ffff'ffff'fffeU);
      EXPECT_EQ(blockKey(physicalOf(key), again), key);
    }
  }
}

}  // namespace
}  // namespace qm::soft
