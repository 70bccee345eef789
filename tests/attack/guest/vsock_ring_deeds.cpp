// A vsock device's queues: packets in pieces, buffers that hold none, the event queue, resets (virtio 1.2, 5.10.6).
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "tests/attack/guest/deeds.h"
#include "tests/attack/guest/physical.h"
#include "tests/attack/guest/vsock_driver.h"

namespace hostile {

namespace {

constexpr Packet kAny{.sourcePort = 2000, .destinationPort = kLonelyPort, .operation = kRequest};

void writeAny(const VsockDriver& driver) {
  std::memcpy(driver.outgoing.buffer().bytes, &kAny, kPacketHeaderBytes);
}

void sendPieces(VsockDriver& driver, std::span<const Descriptor> chain) {
  driver.start();
  writeAny(driver);
  driver.outgoing.offerChain(chain);
  driver.outgoing.await();
}

// A header cut at every place, in single bytes, with empty pieces between, behind what is to be written, and cut short.
void cutHeaders() {
  withVsock([](VsockDriver& driver) {
    const std::uint64_t at = driver.outgoing.buffer().address;
    for (std::uint32_t cut = 0; cut <= kPacketHeaderBytes; ++cut) {
      const Descriptor head{.address = at, .length = cut};
      const Descriptor tail{.address = at + cut, .length = kPacketHeaderBytes - cut};
      sendPieces(driver, std::array{head, tail});
      sendPieces(driver, std::array{head, Descriptor{.address = at, .length = 0}, tail});
      sendPieces(driver, std::array{head});
      sendPieces(driver, std::array{head, Descriptor{.address = at, .length = 64, .flags = kWritten}});
      sendPieces(driver, std::array{Descriptor{.address = at, .length = cut, .flags = kWritten}, tail});
    }
    // Sixteen entries: a header in single bytes needs an indirect table.
    const Page table = makePage();
    for (const std::uint16_t pieces : {std::uint16_t{15}, std::uint16_t{16}, std::uint16_t{44}}) {
      driver.start();
      writeAny(driver);
      for (std::uint16_t i = 0; i < pieces; ++i) {
        driver.outgoing.describeIn(table, i,
                                   {.address = at + i,
                                    .length = i == pieces - 1 ? kPacketHeaderBytes - i : 1U,
                                    .flags = i == pieces - 1 ? std::uint16_t{0} : kNext,
                                    .next = static_cast<std::uint16_t>(i + 1)});
      }
      driver.outgoing.describe(0, {.address = table.address, .length = pieces * 16U, .flags = kIndirect});
      driver.outgoing.offer(0);
      driver.outgoing.await();
    }
  });
}

// For packets of the host: too small, just a header's, in pieces, to be read only, nowhere, and on top of the rings.
void giveBadBuffers() {
  withVsock([](VsockDriver& driver) {
    const std::uint64_t good = driver.incoming.buffer().address;
    const QueueAddresses rings = driver.incoming.addresses();
    std::vector<Descriptor> buffers;
    for (const std::uint32_t length : {0U, 1U, 43U, 44U, 45U, 4096U, 0xffff'ffffU}) {
      for (const std::uint16_t flags : {std::uint16_t{0}, kWritten})
        buffers.push_back({.address = good, .length = length, .flags = flags});
    }
    for (const std::uint64_t address : kNowhere)
      buffers.push_back({.address = address, .length = 64, .flags = kWritten});
    for (const std::uint64_t address : {rings.descriptors, rings.available, rings.used})
      buffers.push_back({.address = address, .length = 4096, .flags = kWritten});
    for (const Descriptor& buffer : buffers) {
      driver.start(0);
      for (std::uint16_t i = 0; i < Queue::kSize; ++i) {
        driver.incoming.describe(i, buffer);
        driver.incoming.offer(i);
      }
      // Each wants an answer.
      for (std::uint32_t i = 0; i < 40; ++i) driver.send({.sourcePort = i, .destinationPort = 1, .operation = kData});
    }
    driver.start(0);
    const std::vector<Descriptor> bytes(16, {.address = good, .length = 3, .flags = kWritten});
    driver.incoming.offerChain(bytes);
    for (std::uint32_t i = 0; i < 40; ++i) driver.send({.sourcePort = i, .destinationPort = 1, .operation = kData});
  });
}

// The queue that the device takes and never uses (5.10.6.7): chains, addresses and rings of bad shape; and as the other
// queues' own.
void abuseEvents() {
  withVsock([](VsockDriver& driver) {
    const QueueAddresses own = driver.events.addresses();
    std::vector<QueueAddresses> places{own,
                                       driver.incoming.addresses(),
                                       driver.outgoing.addresses(),
                                       {own.descriptors, own.descriptors, own.descriptors},
                                       {own.descriptors + 8, own.available + 1, own.used + 2}};
    for (const std::uint64_t address : kNowhere) places.push_back({address, address, address});
    for (const QueueAddresses& place : places) {
      for (const std::uint32_t size : {0U, 1U, 3U, 8U, 16U, 0xffffU}) {
        beginDevice(driver.window);
        driver.incoming.place();
        driver.outgoing.place();
        driver.events.place(place, size);
        readyDevice(driver.window);
        driver.events.describe(0, {.address = kNowhere[3], .length = 0xffff'ffff, .flags = kNext, .next = 0});
        for (int i = 0; i < 32; ++i) driver.events.offer(0);
        driver.events.setAvailable(0x7fff);
        for (int i = 0; i < 100; ++i) driver.events.notify();
        driver.send(kAny);
      }
    }
  });
}

// Headers, descriptors and indices become others while the device reads them.
void changeRingsUnderWay() {
  withVsock([](VsockDriver& driver) {
    Chance chance(8);
    for (int round = 0; round < 300; ++round) {
      driver.start();
      for (std::uint32_t i = 0; i < Queue::kSize; ++i) driver.send(kAny);
      for (int i = 0; i < 200; ++i) {
        const std::uint64_t number = chance.next();
        Queue& queue = number % 2 == 0 ? driver.incoming : driver.outgoing;
        const std::uint64_t at = queue.buffer().address + (number >> 8U) % 64;
        queue.describe(number / 2 % Queue::kSize,
                       {.address = number % 64 == 0 ? kNowhere[(number >> 8U) % kNowhere.size()] : at,
                        .length = static_cast<std::uint32_t>(number >> 16U) & 0x7ffU,
                        .flags = static_cast<std::uint16_t>((number >> 32U) & (number % 32 == 0 ? 7U : 3U)),
                        .next = static_cast<std::uint16_t>((number >> 36U) % Queue::kSize)});
        // Source and destination stay as they are, so that most of it means something.
        std::memcpy(driver.outgoing.buffer().bytes + 16 + (number >> 48U) % 24, &number, 4);
        if (number % 8 == 1) queue.offer(static_cast<std::uint16_t>((number >> 40U) % Queue::kSize));
      }
    }
  });
}

// The host's side has bytes for each connection when the device goes.
void resetInFlight() {
  withVsock([](VsockDriver& driver) {
    for (std::uint32_t round = 0; round < 60; ++round) {
      driver.start();
      if (!driver.connect(3000 + round)) return;
      for (std::uint32_t i = 0; i < 12; ++i) {
        driver.send({.sourcePort = 4000 + i, .destinationPort = kListenedPort, .operation = kRequest});
        if (i % 4 == 0) (void)driver.receive();
      }
      if (round % 2 == 0) {
        beginDevice(driver.window);
        driver.outgoing.place();
        readyDevice(driver.window);
        driver.send(kAny);
      }
      driver.window.write32(kStatus, 0);
    }
  });
}

constexpr std::array kDeeds{
    Deed{"vsock-headers-cut", cutHeaders},        Deed{"vsock-bad-buffers", giveBadBuffers},
    Deed{"vsock-events-abused", abuseEvents},     Deed{"vsock-rings-in-motion", changeRingsUnderWay},
    Deed{"vsock-reset-in-flight", resetInFlight},
};

}  // namespace

std::span<const Deed> vsockRingDeeds() {
  return kDeeds;
}

}  // namespace hostile
