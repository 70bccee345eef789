// A network device: frames, chains, buffers and rings that no driver makes (virtio 1.2, 5.1.6), while frames arrive.
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "tests/attack/guest/deeds.h"
#include "tests/attack/guest/physical.h"
#include "tests/attack/guest/virtio_queue.h"

namespace hostile {

namespace {

constexpr std::uint32_t kNetKind = 1;
constexpr std::uint32_t kHeaderBytes = 12;
// Within which some frames have arrived. Not all buffers are such that one fits.
constexpr unsigned kFramesMs = 3;
constexpr std::uint32_t kLeastFrame = kHeaderBytes + 14;  // with an Ethernet header

// Both queues, as a driver has them.
struct Net {
  explicit Net(const Window& where) : window(where), receive(where, 0), transmit(where, 1) { writeFrame(); }

  void start(std::uint32_t size = Queue::kSize) {
    beginDevice(window);
    receive.place(size);
    transmit.place(size);
    readyDevice(window);
  }
  // A header that asks for nothing, and a broadcast of a type that nobody speaks (IEEE 802, local experimental).
  void writeFrame() const {
    std::memset(transmit.buffer().bytes, 0, 2048);
    std::memset(transmit.buffer().bytes + kHeaderBytes, 0xff, 6);
    transmit.buffer().bytes[kHeaderBytes + 6] = 2;
    transmit.buffer().bytes[kHeaderBytes + 12] = 0x88;
    transmit.buffer().bytes[kHeaderBytes + 13] = 0xb5;
  }
  void offerReceiveBuffers(std::uint32_t length) {
    for (std::uint16_t i = 0; i < Queue::kSize; ++i) {
      receive.describe(i, {.address = receive.buffer().address, .length = length, .flags = kWritten, .next = 0});
      receive.offer(i);
    }
  }
  void send(std::uint16_t slot, std::uint32_t length) {
    transmit.describe(slot, {.address = transmit.buffer().address, .length = length, .flags = 0, .next = 0});
    transmit.offer(slot);
  }

  const Window& window;
  Queue receive;
  Queue transmit;
};

void withNet(void (*deed)(Net&)) {
  const Window* const window = windowOf(kNetKind);
  if (window == nullptr) return;
  Net net(*window);
  deed(net);
  // Whatever it was, a driver that begins again has a device that works.
  net.start();
  net.writeFrame();
  net.send(0, 60);
  net.transmit.await(5000);
  if (net.transmit.used() != 1) say("there is no life in the device");
  window->write32(kStatus, 0);
}

// The same chain to each queue of a device that works.
void offerToBoth(Net& net, std::span<const Descriptor> chain) {
  net.start(Queue::kLargest);
  net.transmit.offerChain(chain);
  net.transmit.await();
  net.start(Queue::kLargest);
  net.receive.offerChain(chain);
  net.receive.await(kFramesMs);
}

std::vector<Descriptor> inPieces(const Page& page, std::uint32_t pieces, std::uint32_t bytes, std::uint16_t flags) {
  std::vector<Descriptor> chain;
  for (std::uint32_t i = 0; i < pieces; ++i)
    chain.push_back({.address = page.address + i * bytes, .length = bytes, .flags = flags, .next = 0});
  return chain;
}

// Frames in pieces of one byte, headers cut at every place, what is read mixed with what is written, empty pieces.
void sendShapes() {
  withNet([](Net& net) {
    const Page& page = net.transmit.buffer();
    for (const std::uint16_t flags : {std::uint16_t{0}, kWritten}) {
      for (const std::uint32_t pieces : {1U, 12U, 26U, 255U, 256U}) offerToBoth(net, inPieces(page, pieces, 1, flags));
      for (std::uint32_t cut = 0; cut <= kLeastFrame; ++cut) {
        offerToBoth(net, std::array{Descriptor{.address = page.address, .length = cut, .flags = flags},
                                    Descriptor{.address = page.address + cut, .length = 64 - cut, .flags = flags}});
      }
      const auto other = static_cast<std::uint16_t>(flags ^ kWritten);
      offerToBoth(net, std::array{Descriptor{.address = page.address, .length = 40, .flags = flags},
                                  Descriptor{.address = page.address, .length = 0, .flags = flags},
                                  Descriptor{.address = page.address, .length = 40, .flags = other}});
      offerToBoth(net, std::vector<Descriptor>(256, {.address = page.address, .length = 0, .flags = flags}));
    }
  });
}

void loopOf(Queue& queue, std::uint16_t length, std::uint16_t flags) {
  for (std::uint16_t i = 0; i < length; ++i) {
    queue.describe(i, {.address = queue.buffer().address,
                       .length = 64,
                       .flags = static_cast<std::uint16_t>(flags | kNext),
                       .next = static_cast<std::uint16_t>((i + 1) % length)});
  }
  queue.offer(0);
  queue.await(kFramesMs);
}

// Chains without an end, in the table and in an indirect one, and ones that go on behind the table.
void sendLoops() {
  withNet([](Net& net) {
    const Page table = makePage();
    for (Queue* const queue : {&net.receive, &net.transmit}) {
      const std::uint16_t flags = queue == &net.receive ? kWritten : 0;
      for (const std::uint16_t length : {std::uint16_t{1}, std::uint16_t{2}, Queue::kSize, Queue::kLargest}) {
        net.start(Queue::kLargest);
        loopOf(*queue, length, flags);
      }
      for (const std::uint16_t next : {std::uint16_t{0}, std::uint16_t{1}, std::uint16_t{256}, std::uint16_t{0xffff}}) {
        net.start();
        const Descriptor onwards{.address = queue->buffer().address,
                                 .length = 64,
                                 .flags = static_cast<std::uint16_t>(flags | kNext),
                                 .next = next};
        for (std::uint16_t i = 0; i < Queue::kLargest; ++i) queue->describeIn(table, i, onwards);
        queue->describe(0, {.address = table.address, .length = 4096, .flags = kIndirect, .next = 0});
        queue->offer(0);
        queue->await(kFramesMs);
        net.start();
        queue->describe(0, onwards);
        queue->offer(0);
        queue->await(kFramesMs);
      }
    }
  });
}

// What a header asks of the host's kernel: checksums and segments that no feature allows, with any numbers.
void askForOffloads() {
  withNet([](Net& net) {
    Chance chance(4);
    net.start();
    std::uint16_t slot = 0;
    for (unsigned flags = 0; flags < 256; ++flags) {
      // gso_type: those that have a name, the bit for congestion, and none.
      constexpr std::array<std::uint8_t, 8> kKinds{0, 1, 3, 4, 5, 0x80, 0x81, 0xff};
      for (const std::uint8_t segmentation : kKinds) {
        const std::uint64_t numbers = flags % 2 == 0 ? ~std::uint64_t{0} : chance.next();
        std::uint8_t* const header = net.transmit.buffer().bytes;
        header[0] = static_cast<std::uint8_t>(flags);
        header[1] = segmentation;
        std::memcpy(header + 2, &numbers, sizeof numbers);
        net.send(slot, slot % 2 == 0 ? 60 : 1526);
        slot = (slot + 1) % Queue::kSize;
        if (slot == 0) net.transmit.await();
      }
    }
  });
}

// From nothing to 4 GiB, of which most is the same memory again and again; and buffers too small for what arrives.
void chooseLengths() {
  withNet([](Net& net) {
    const std::uint64_t frame = net.transmit.buffer().address;
    for (std::uint32_t length = 0; length <= kLeastFrame + 1; ++length) {
      net.start();
      net.send(0, length);
      net.transmit.await();
      net.start();
      net.offerReceiveBuffers(length);
      net.receive.await(kFramesMs);
    }
    for (const std::uint32_t length : {65'564U, 65'565U, 65'566U, 65'567U, 65'600U, 1U << 20U}) {
      std::vector<Descriptor> chain(length / 4096, {.address = frame, .length = 4096});
      if (length % 4096 != 0) chain.push_back({.address = frame, .length = length % 4096});
      net.start(Queue::kLargest);
      net.transmit.offerChain(chain);
      net.transmit.await();
    }
    for (const std::uint32_t much : {16U << 20U, 32U << 20U}) {
      net.start(Queue::kLargest);
      net.transmit.offerChain(std::vector<Descriptor>(Queue::kLargest, {.address = 16U << 20U, .length = much}));
      net.transmit.await();
    }
  });
}

void placeBuffersNowhere() {
  withNet([](Net& net) {
    for (const std::uint64_t address : kNowhere) {
      for (const std::uint32_t length : {0U, 1U, 64U, 2048U, 0xffff'ffffU}) {
        const Descriptor good{.address = net.transmit.buffer().address, .length = 40};
        const Descriptor read{.address = address, .length = length};
        const Descriptor written{.address = address, .length = length, .flags = kWritten};
        offerToBoth(net, std::array{read});
        offerToBoth(net, std::array{written});
        offerToBoth(net, std::array{good, read});
      }
    }
  });
}

// What arrives is written over the rings by which it is offered, and the two queues are one.
void overlapQueuesAndBuffers() {
  withNet([](Net& net) {
    const QueueAddresses receive = net.receive.addresses();
    const QueueAddresses transmit = net.transmit.addresses();
    for (const std::uint64_t target : {receive.descriptors, receive.available, receive.available + 2, receive.used,
                                       transmit.descriptors, transmit.available, transmit.used}) {
      net.start();
      for (std::uint16_t i = 0; i < Queue::kSize; ++i) {
        net.receive.describe(i, {.address = target, .length = 2048, .flags = kWritten, .next = 0});
        net.receive.offer(i);
      }
      net.transmit.describe(0, {.address = target, .length = 2048, .flags = 0, .next = 0});
      for (std::uint16_t i = 0; i < Queue::kSize; ++i) net.transmit.offer(0);
      net.transmit.await();
      net.receive.await(kFramesMs);
    }
    for (const QueueAddresses& shared : {receive, QueueAddresses{receive.descriptors, transmit.available, receive.used},
                                         QueueAddresses{transmit.used, receive.available, receive.descriptors},
                                         QueueAddresses{receive.available, receive.available, receive.available}}) {
      beginDevice(net.window);
      net.receive.place(receive);
      net.transmit.place(shared);
      readyDevice(net.window);
      net.offerReceiveBuffers(2048);
      net.send(0, 60);
      net.transmit.await();
    }
  });
}

// Forwards, over the end, backwards, and on by whole rings.
void jumpIndices() {
  withNet([](Net& net) {
    for (Queue* const queue : {&net.receive, &net.transmit}) {
      for (const unsigned by : {1U, 15U, 16U, 17U, 255U, 0x7fffU, 0x8000U, 0xffffU}) {
        net.start();
        net.offerReceiveBuffers(2048);
        net.send(0, 60);
        net.transmit.await();
        for (unsigned jumps = 1; jumps <= 4; ++jumps) {
          queue->setAvailable(static_cast<std::uint16_t>(jumps * by));
          queue->notify();
        }
        queue->await(kFramesMs);
      }
    }
  });
}

// The device goes, with or without a word, while frames come and go.
void resetInFlight() {
  withNet([](Net& net) {
    for (unsigned round = 0; round < 2000; ++round) {
      net.start();
      net.offerReceiveBuffers(2048);
      for (std::uint16_t i = 0; i < 8; ++i) net.send(i, 60);
      if (round % 4 == 1) net.window.write32(kQueueReady, 0);
      if (round % 4 == 2) net.receive.await(kFramesMs);
      if (round % 4 == 3) {
        // Back at once, and the queue into which frames arrived is no more.
        beginDevice(net.window);
        net.transmit.place();
        readyDevice(net.window);
        net.transmit.notify();
        net.receive.notify();
      }
      net.window.write32(kStatus, 0);
    }
  });
}

// Descriptors and indices become others while the device reads them.
void changeRingsUnderWay() {
  withNet([](Net& net) {
    Chance chance(7);
    for (int round = 0; round < 300; ++round) {
      net.start();
      net.offerReceiveBuffers(2048);
      for (std::uint16_t i = 0; i < Queue::kSize; ++i) net.send(i, 60);
      for (int i = 0; i < 200; ++i) {
        const std::uint64_t number = chance.next();
        Queue& queue = number % 2 == 0 ? net.receive : net.transmit;
        queue.describe(
            number / 2 % Queue::kSize,
            {.address = number % 64 == 0 ? kNowhere[(number >> 8U) % kNowhere.size()] : queue.buffer().address,
             .length = static_cast<std::uint32_t>(number >> 16U) & 0x7ffU,
             .flags = static_cast<std::uint16_t>((number >> 32U) & (number % 32 == 0 ? 7U : 3U)),
             .next = static_cast<std::uint16_t>((number >> 36U) % Queue::kSize)});
        if (number % 8 == 1) queue.offer(static_cast<std::uint16_t>((number >> 40U) % Queue::kSize));
      }
    }
  });
}

// One queue without the other, rings for queues that are not there, registers written under a device that works.
void leaveQueuesOut() {
  withNet([](Net& net) {
    for (Queue* const only : {&net.receive, &net.transmit}) {
      only->start();
      for (const std::uint32_t bell : {0U, 1U, 2U, 3U, 0xffffU, 0xffff'ffffU}) net.window.write32(kNotify, bell);
      net.offerReceiveBuffers(2048);
      net.send(0, 60);
      only->await(kFramesMs);
      for (std::uint32_t queue = 0; queue < 4; ++queue) {
        net.window.write32(kQueueSelect, queue);
        for (const std::uint64_t where : {kDescriptorsAt, kAvailableAt, kUsedAt})
          net.window.write32(where, 0xffff'ffff);
        net.window.write32(kQueueSize, 0x8000);
        net.window.write32(kQueueReady, 0);
      }
      for (std::uint16_t i = 0; i < 8; ++i) net.send(i, 60);
      only->await(kFramesMs);
    }
  });
}

void sendWithoutPause() {
  withNet([](Net& net) {
    net.start(Queue::kLargest);
    for (std::uint16_t i = 0; i < Queue::kLargest; ++i)
      net.transmit.describe(i, {.address = net.transmit.buffer().address, .length = 1526, .flags = 0, .next = 0});
    for (unsigned i = 0; i < 40'000; ++i) {
      net.transmit.offer(static_cast<std::uint16_t>(i % Queue::kLargest));
      if (i % Queue::kLargest == Queue::kLargest - 1) net.transmit.await();
    }
  });
}

// Each time for a reason that the host might put down.
void failWithoutPause() {
  withNet([](Net& net) {
    for (int i = 0; i < 4000; ++i) {
      net.start();
      net.transmit.offer(Queue::kSize);
      net.transmit.await();
    }
  });
}

constexpr std::array kDeeds{
    Deed{"net-shapes", sendShapes},
    Deed{"net-loops", sendLoops},
    Deed{"net-offloads", askForOffloads},
    Deed{"net-lengths", chooseLengths},
    Deed{"net-buffers-nowhere", placeBuffersNowhere},
    Deed{"net-overlaps", overlapQueuesAndBuffers},
    Deed{"net-indices-jump", jumpIndices},
    Deed{"net-reset-in-flight", resetInFlight},
    Deed{"net-rings-in-motion", changeRingsUnderWay},
    Deed{"net-queues-left-out", leaveQueuesOut},
    Deed{"net-sends-without-pause", sendWithoutPause},
    Deed{"net-fails-without-pause", failWithoutPause},
};

}  // namespace

std::span<const Deed> netDeeds() {
  return kDeeds;
}

}  // namespace hostile
