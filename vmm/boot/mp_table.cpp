#include "vmm/boot/mp_table.h"

#include <cstring>
#include <vector>

#include "vmm/boot/memory_map.h"
#include "vmm/result/check.h"

namespace qm::boot {

namespace {

// The tables byte by byte, as chapter 4 of the specification draws them.
class Bytes {
 public:
  template <class T>
  Bytes& add(T value) {
    const auto at = bytes_.size();
    bytes_.resize(at + sizeof value);
    std::memcpy(bytes_.data() + at, &value, sizeof value);
    return *this;
  }
  Bytes& addText(std::string_view text) {
    for (const char c : text) add(c);
    return *this;
  }
  template <class T>
  void set(std::size_t at, T value) {
    std::memcpy(bytes_.data() + at, &value, sizeof value);
  }
  // The byte that makes all of them add up to 0.
  std::uint8_t checksum() const {
    std::uint8_t sum = 0;
    for (const std::byte byte : bytes_) sum = static_cast<std::uint8_t>(sum + std::to_integer<std::uint8_t>(byte));
    return static_cast<std::uint8_t>(-sum);
  }
  const std::vector<std::byte>& get() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;

constexpr u32 kPins = 24;
constexpr u8 kApicVersion = 0x14;
constexpr u8 kIsaBus = 0;

constexpr u16 kConforms = 0;                        // to the bus: ISA is edge, active high
constexpr u16 kLevelActiveHigh = 0b11 << 2 | 0b01;  // 4.3.4, table 4-10
enum InterruptType : u8 { kVectored = 0, kNmi = 1, kExtInt = 3 };

void addProcessor(Bytes& table, u32 index) {
  constexpr u8 kEnabled = 1, kBootProcessor = 2;
  const u8 flags = index == 0 ? kEnabled | kBootProcessor : kEnabled;
  constexpr u32 kSignature = 0x600, kFeatures = 0x201;  // an APIC and an FPU; Linux asks CPUID for the rest
  table.add(u8{0})
      .add(static_cast<u8>(index))
      .add(kApicVersion)
      .add(flags)
      .add(kSignature)
      .add(kFeatures)
      .add(u32{0})
      .add(u32{0});
}

void addInterrupt(Bytes& table, u8 entry, u8 type, u16 flags, u8 sourceIrq, u8 destination, u8 pin) {
  table.add(entry).add(type).add(flags).add(kIsaBus).add(sourceIrq).add(destination).add(pin);
}

Bytes configurationTable(u32 vcpus, const std::set<u32>& levelPins) {
  const u8 ioApicId = static_cast<u8>(vcpus);
  Bytes table;
  table.addText("PCMP").add(u16{0}).add(u8{4}).add(u8{0}).addText("QUICKMAT").addText("MICROVM     ");
  table.add(u32{0}).add(u16{0}).add(u16{0}).add(static_cast<u32>(kLocalApic.value)).add(u16{0}).add(u8{0}).add(u8{0});
  u16 entries = 0;
  for (u32 index = 0; index < vcpus; ++index, ++entries) addProcessor(table, index);
  table.add(u8{1}).add(kIsaBus).addText("ISA   ");
  table.add(u8{2}).add(ioApicId).add(u8{0x11}).add(u8{1}).add(static_cast<u32>(kIoApic.value));
  entries = static_cast<u16>(entries + 2);
  for (u32 pin = 0; pin < kPins; ++pin, ++entries) {
    const u16 flags = levelPins.contains(pin) ? kLevelActiveHigh : kConforms;
    addInterrupt(table, 3, kVectored, flags, static_cast<u8>(pin), ioApicId, static_cast<u8>(pin));
  }
  addInterrupt(table, 4, kExtInt, kConforms, 0, 0, 0);
  addInterrupt(table, 4, kNmi, kConforms, 0, 0xff, 1);
  entries = static_cast<u16>(entries + 2);
  table.set(4, static_cast<u16>(table.get().size()));
  table.set(34, entries);
  table.set(7, table.checksum());
  return table;
}

}  // namespace

Status writeMpTable(GuestMemory& memory, std::uint32_t vcpus, const std::set<std::uint32_t>& levelPins) {
  CHECK(vcpus >= 1 && vcpus <= 8);
  constexpr std::uint64_t kFloatingPointerBytes = 16;
  Bytes pointer;
  pointer.addText("_MP_")
      .add(static_cast<u32>((kMpTable + kFloatingPointerBytes).value))
      .add(u8{1})
      .add(u8{4})
      .add(u8{0})
      .add(u32{0})
      .add(u8{0});
  pointer.set(10, pointer.checksum());
  const Bytes table = configurationTable(vcpus, levelPins);
  CHECK(kFloatingPointerBytes + table.get().size() <= kBaseMemoryEnd - kMpTable);
  TRY(memory.write(kMpTable, pointer.get()));
  return memory.write(kMpTable + kFloatingPointerBytes, table.get());
}

}  // namespace qm::boot
