// A vsock device: packets and connections that no driver makes (virtio 1.2, 5.10.6), while the host connects and sends.
#include <array>
#include <cstdint>

#include "tests/attack/guest/deeds.h"
#include "tests/attack/guest/physical.h"
#include "tests/attack/guest/vsock_driver.h"

namespace hostile {

namespace {

constexpr std::uint32_t kFirstPort = 1000;

Packet toListener(std::uint32_t port, std::uint16_t operation) {
  return {.sourcePort = port, .destinationPort = kListenedPort, .operation = operation};
}

// Of data, of what has none, of a connection and of none.
void lieAboutLengths() {
  withVsock([](VsockDriver& driver) {
    driver.start();
    std::uint32_t port = kFirstPort;
    for (const std::uint32_t length : {0U, 1U, 99U, 101U, 0xffffU, 0x1'0000U, 0x1'0001U, 0x8000'0000U, 0xffff'ffffU}) {
      for (const std::uint16_t operation : {kData, kCreditUpdate, kShutdown, kRequest}) {
        if (!driver.connect(++port)) return;
        Packet packet = toListener(port, operation);
        packet.length = length;
        driver.send(packet, 100);
        driver.send(packet);
        packet.sourcePort = 7;
        driver.send(packet, 100);
      }
    }
  });
}

// Every number near those that have a name, in every type, with flags that mean nothing there.
void useUnknownOperations() {
  withVsock([](VsockDriver& driver) {
    driver.start();
    if (!driver.connect(kFirstPort)) return;
    constexpr std::array<std::uint16_t, 6> kTypes{0, 1, 2, 3, 0x101, 0xffff};
    for (const std::uint16_t type : kTypes) {
      for (unsigned operation = 0; operation < 20; ++operation) {
        Packet packet = toListener(kFirstPort, static_cast<std::uint16_t>(operation == 19 ? 0xffff : operation));
        packet.type = type;
        packet.flags = operation % 2 == 0 ? 0xffff'ffff : 0;
        driver.send(packet);
        packet.sourcePort = 5;
        driver.send(packet);
        driver.drain();
      }
    }
  });
}

// From others, to others, and with ports of the agent, of the host's own range, and none.
void useOthersAddresses() {
  withVsock([](VsockDriver& driver) {
    driver.start();
    constexpr std::array<std::uint64_t, 10> kCids{
        0, 1, 2, 3, 4, 0xffff'ffff, (1ULL << 32U) + 2, (1ULL << 32U) + 3, 1ULL << 63U, ~0ULL};
    constexpr std::array<std::uint32_t, 8> kPorts{0, 1, 9, 5200, 1U << 30U, (1U << 30U) + 1, 0x7fff'ffff, 0xffff'ffff};
    for (const std::uint64_t source : kCids) {
      for (const std::uint64_t destination : kCids) {
        Packet packet = toListener(kFirstPort, kRequest);
        packet.sourceCid = source;
        packet.destinationCid = destination;
        driver.send(packet);
      }
    }
    for (const std::uint16_t operation : {kRequest, kResponse, kData, kShutdown, kCreditRequest, kReset}) {
      for (const std::uint32_t source : kPorts) {
        for (const std::uint32_t destination : kPorts) {
          driver.send({.sourcePort = source, .destinationPort = destination, .operation = operation});
          driver.drain();
        }
      }
    }
  });
}

// Room that is none, that is all, that shrinks; bytes that were never sent and are taken back (5.10.6.3). The host has
// more to send than it has credit for.
void forgeCredit() {
  withVsock([](VsockDriver& driver) {
    Chance chance(5);
    driver.start();
    for (std::uint32_t port = kFirstPort; port < kFirstPort + 10; ++port) {
      if (!driver.connect(port)) return;
      for (int i = 0; i < 200; ++i) {
        constexpr std::array<std::uint32_t, 8> kCounts{0,           1,           0x1000,      0x1'0000,
                                                       0x7fff'ffff, 0x8000'0000, 0xffff'fffe, 0xffff'ffff};
        const std::uint64_t number = chance.next();
        Packet packet = toListener(port, i % 8 == 0 ? kCreditRequest : kCreditUpdate);
        packet.bufferBytes = kCounts[number % kCounts.size()];
        packet.forwardedBytes =
            (number & 64U) != 0 ? static_cast<std::uint32_t>(number >> 32U) : kCounts[number / 8 % kCounts.size()];
        driver.send(packet);
        driver.drain();
      }
      driver.send(toListener(port, kReset));
    }
  });
}

// More than the host has said that it takes, into a connection whose other end reads nothing.
void sendBeyondCredit() {
  withVsock([](VsockDriver& driver) {
    driver.start();
    for (std::uint32_t port = kFirstPort; port < kFirstPort + 4; ++port) {
      if (!driver.connect(port)) return;
      Packet packet = toListener(port, kData);
      packet.length = 200;
      for (int i = 0; i < 2000; ++i) {
        driver.send(packet, 200);
        driver.drain();
      }
    }
  });
}

// To connections that are not there: with nowhere to put the answers, of which the device keeps 256, and then with.
void speakToNobody() {
  withVsock([](VsockDriver& driver) {
    constexpr std::array<std::uint16_t, 6> kOperations{kResponse, kReset,        kShutdown,
                                                       kData,     kCreditUpdate, kCreditRequest};
    for (const std::uint16_t buffers : {std::uint16_t{0}, std::uint16_t{1}, Queue::kSize}) {
      driver.start(buffers);
      const std::uint32_t packets = buffers == Queue::kSize ? 6000 : 400;
      for (std::uint32_t i = 0; i < packets; ++i) {
        driver.send({.sourcePort = i, .destinationPort = ~i, .operation = kOperations[i % kOperations.size()]});
        if (buffers != 0) driver.drain();
      }
    }
  });
}

// 100,000, half of them to somebody; none is ever spoken to again.
void requestWithoutEnd() {
  withVsock([](VsockDriver& driver) {
    driver.start();
    for (std::uint32_t i = 0; i < 100'000; ++i) {
      driver.send({.sourcePort = kFirstPort + i,
                   .destinationPort = i % 2 == 0 ? kListenedPort : kLonelyPort,
                   .operation = kRequest});
      driver.drain();
    }
  });
}

// Flags of any kind, once and again, and data behind them.
void shutDownInNonsense() {
  withVsock([](VsockDriver& driver) {
    driver.start();
    std::uint32_t port = kFirstPort;
    for (const std::uint32_t first : {0U, 1U, 2U, 3U, 4U, 0xffff'fffcU, 0xffff'ffffU}) {
      for (const std::uint32_t second : {0U, 1U, 2U, 3U, 0xffff'ffffU}) {
        if (!driver.connect(++port)) return;
        for (const std::uint32_t flags : {first, second}) {
          Packet packet = toListener(port, kShutdown);
          packet.flags = flags;
          driver.send(packet);
          packet = toListener(port, kData);
          packet.length = 100;
          driver.send(packet, 100);
          driver.send(toListener(port, kCreditRequest));
        }
        driver.send(toListener(port, kRequest));
      }
    }
  });
}

// Before a connection is one: to the host's request by everything but its answer, by its answer twice, by that of
// another; and data ahead of a request of ours.
void speakTooSoon() {
  withVsock([](VsockDriver& driver) {
    driver.start();
    for (std::uint16_t operation = kRequest; operation <= kCreditRequest; ++operation) {
      for (const unsigned answers : {1U, 2U}) {
        // The test's programs ask for one port again and again.
        const std::optional<Packet> asked = driver.await(kRequest, 0);
        if (!asked.has_value()) return say("there is no request of the host");
        Packet packet{.sourcePort = asked->destinationPort,
                      .destinationPort = asked->sourcePort,
                      .length = operation == kData ? 100U : 0U,
                      .operation = operation};
        for (unsigned i = 0; i < answers; ++i) driver.send(packet, packet.length);
        packet.operation = kResponse;
        ++packet.destinationPort;
        driver.send(packet);
        packet.destinationPort -= 1;
        driver.send(packet);
        driver.send(packet);
      }
      Packet early = toListener(kFirstPort + operation, kData);
      early.length = 100;
      driver.send(early, 100);
      driver.send(toListener(kFirstPort + operation, kRequest));
      driver.send(early, 100);
    }
  });
}

constexpr std::array kDeeds{
    Deed{"vsock-lengths-lie", lieAboutLengths},
    Deed{"vsock-unknown-operations", useUnknownOperations},
    Deed{"vsock-others-addresses", useOthersAddresses},
    Deed{"vsock-credit-forged", forgeCredit},
    Deed{"vsock-beyond-credit", sendBeyondCredit},
    Deed{"vsock-to-nobody", speakToNobody},
    Deed{"vsock-requests-without-end", requestWithoutEnd},
    Deed{"vsock-shutdown-nonsense", shutDownInNonsense},
    Deed{"vsock-too-soon", speakTooSoon},
};

}  // namespace

std::span<const Deed> vsockDeeds() {
  return kDeeds;
}

}  // namespace hostile
