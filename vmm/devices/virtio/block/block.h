// virtio-blk (virtio 1.2, 5.2) over a raw file.
// Modelled: IN, OUT, FLUSH, GET_ID; read-only devices; capacity in the config space. A request's data may be scattered
// over
//   any buffers.
// Not modelled: geometry, topology, multiple queues, discard, write zeroes, lifetime, zones; write-back cache toggling
// (a
//   FLUSH is an fdatasync, and writes go to the host's page cache until then).
// A file whose size is no multiple of 512 loses its last, partial sector. Requests are served one after the other on
// the event loop's thread, so a slow disk delays the VM's other devices.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "vmm/devices/virtio/device.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::virtio {

inline constexpr std::uint64_t kSectorBytes = 512;

class Block final : public Device {
 public:
  // A fresh device: its capacity is the file's. `id` is what GET_ID answers, cut to 20 bytes.
  static Result<std::unique_ptr<Block>> create(FileDescriptor file, bool readOnly, const std::string& id);
  // fixInput when the file is smaller than the guest remembers.
  static Result<std::unique_ptr<Block>> restore(FileDescriptor file, const BlockState& state);

  DeviceKind kind() const override { return DeviceKind::block; }
  std::uint64_t features() const override;
  std::vector<std::uint16_t> queueSizes() const override { return {256}; }
  void readConfig(std::uint64_t offset, std::span<std::byte> into) const override;
  void writeConfig(std::uint64_t /*offset*/, std::span<const std::byte> /*bytes*/) override {}
  Status activate(DeviceHost& host, std::uint64_t features) override;
  void reset() override { host_ = nullptr; }
  Result<bool> process(std::uint16_t queueIndex) override;
  DeviceState save() const override { return state_; }

 private:
  Block(FileDescriptor file, BlockState state) : file_(std::move(file)), state_(std::move(state)) {}
  Result<std::uint32_t> serve(const Chain& chain);
  Result<std::uint8_t> perform(std::uint32_t type, std::uint64_t sector, const Chain& chain, std::uint32_t& written);
  Result<std::uint8_t> transfer(std::uint64_t sector, std::span<const Buffer> buffers, std::uint64_t skip,
                                std::uint64_t bytes, bool toGuest);

  FileDescriptor file_;
  BlockState state_;
  DeviceHost* host_ = nullptr;  // while active
};

}  // namespace qm::virtio
