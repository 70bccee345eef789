// Queues: rings and chains that no driver makes (virtio 1.2, section 2.7, each "must not").
#include <array>
#include <cstdint>
#include <cstring>

#include "tests/attack/guest/deeds.h"
#include "tests/attack/guest/physical.h"
#include "tests/attack/guest/virtio_queue.h"

namespace hostile {

namespace {

void placeQueuesNowhere() {
  forEachQueue([](Queue& queue) {
    for (const std::uint64_t address : kNowhere) {
      queue.start({.descriptors = address, .available = address, .used = address});
      queue.notify();
      queue.start({.descriptors = queue.descriptorsAt(), .available = queue.descriptorsAt(), .used = address});
      queue.offer(0);
    }
  });
}

void placeBuffersNowhere() {
  forEachQueue([](Queue& queue) {
    for (const std::uint64_t address : kNowhere) {
      for (const std::uint16_t flags : {std::uint16_t{0}, kWritten, kIndirect}) {
        queue.start();
        queue.describe(0, {.address = address, .length = 64, .flags = flags, .next = 0});
        queue.offer(0);
      }
    }
  });
}

void chainInACircle() {
  forEachQueue([](Queue& queue) {
    queue.start();
    for (std::uint16_t i = 0; i < Queue::kSize; ++i) {
      const auto next = static_cast<std::uint16_t>((i + 1) % Queue::kSize);
      queue.describe(i, {.address = queue.buffer().address, .length = 16, .flags = kNext, .next = next});
    }
    queue.offer(0);
    queue.start();
    queue.describe(0, {.address = queue.buffer().address, .length = 16, .flags = kNext, .next = 0});
    queue.offer(0);
    queue.start();
    queue.describe(0, {.address = queue.buffer().address, .length = 16, .flags = kNext, .next = 0xffff});
    queue.offer(0);
  });
}

void nestIndirectTables() {
  const Page table = makePage();
  forEachQueue([&table](Queue& queue) {
    for (const std::uint32_t length : {0U, 1U, 15U, 16U, 4096U, 0xffff'fff0U, 0xffff'ffffU}) {
      queue.start();
      queue.describeIn(table, 0, {.address = table.address, .length = 4096, .flags = kIndirect, .next = 0});
      queue.describe(0, {.address = table.address, .length = length, .flags = kIndirect, .next = 0});
      queue.offer(0);
      queue.start();
      queue.describeIn(table, 0, {.address = table.address, .length = 4096, .flags = kNext, .next = 0});
      queue.describe(0, {.address = table.address, .length = length, .flags = kIndirect | kNext | kWritten, .next = 1});
      queue.offer(0);
    }
  });
}

void claimHugeLengths() {
  forEachQueue([](Queue& queue) {
    for (const std::uint32_t length : {0U, 0x8000'0000U, 0xffff'ffffU}) {
      queue.start();
      queue.describe(0, {.address = queue.buffer().address, .length = 16, .flags = kNext, .next = 1});
      queue.describe(1, {.address = queue.buffer().address, .length = length, .flags = kNext | kWritten, .next = 2});
      queue.describe(2, {.address = queue.buffer().address, .length = length, .flags = kWritten, .next = 0});
      queue.offer(0);
    }
  });
}

void runTheRingAhead() {
  forEachQueue([](Queue& queue) {
    queue.start();
    queue.describe(0, {.address = queue.buffer().address, .length = 64, .flags = kWritten, .next = 0});
    for (const std::uint16_t index :
         {std::uint16_t{0x7fff}, std::uint16_t{0xffff}, std::uint16_t{17}, std::uint16_t{0}}) {
      queue.setAvailable(index);
      queue.notify();
    }
    for (const std::uint16_t head : {Queue::kSize, std::uint16_t{0xffff}}) {
      queue.start();
      queue.offer(head);
    }
  });
}

void chooseOddSizes() {
  forEachQueue([](Queue& queue) {
    for (const std::uint32_t size : {0U, 3U, 0x8000U, 0x1'0000U, 0xffff'ffffU}) {
      queue.start({.descriptors = queue.descriptorsAt() + 1,
                   .available = queue.descriptorsAt() + 3,
                   .used = queue.descriptorsAt()},
                  size);
      queue.offer(0);
    }
    for (const std::uint32_t index : {8U, 0xffffU, 0xffff'ffffU}) {
      queue.window().write32(kQueueSelect, index);
      queue.window().write32(kQueueReady, 1);
      queue.window().write32(kNotify, index);
    }
  });
}

// A block device's read of its first sector: header, data, status (virtio 1.2, 5.2.6). For the others it is a chain.
void resetInFlight() {
  forEachQueue([](Queue& queue) {
    for (int round = 0; round < 300; ++round) {
      queue.start();
      std::memset(queue.buffer().bytes, 0, 16);
      queue.describe(0, {.address = queue.buffer().address, .length = 16, .flags = kNext, .next = 1});
      queue.describe(1, {.address = queue.buffer().address + 512, .length = 512, .flags = kNext | kWritten, .next = 2});
      queue.describe(2, {.address = queue.buffer().address + 2048, .length = 1, .flags = kWritten, .next = 0});
      for (int i = 0; i < 8; ++i) queue.offer(0);
      queue.window().write32(kStatus, 0);
    }
  });
}

void askByChance() {
  Chance chance(2);
  forEachQueue([&chance](Queue& queue) {
    for (int round = 0; round < 400; ++round) {
      queue.start();
      for (std::size_t i = 0; i < 512; i += sizeof(std::uint64_t)) {
        const std::uint64_t number = chance.next() & (round % 2 == 0 ? ~0ULL : 0x0000'0003'0000'000fULL);
        std::memcpy(queue.buffer().bytes + i, &number, sizeof number);
      }
      for (std::uint16_t i = 0; i < 4; ++i) {
        const std::uint64_t number = chance.next();
        queue.describe(i, {.address = queue.buffer().address + (number & 0x7ffU),
                           .length = static_cast<std::uint32_t>(number >> 40U) & 0xfffU,
                           .flags = static_cast<std::uint16_t>((number >> 20U) & 3U),
                           .next = static_cast<std::uint16_t>((number >> 30U) & 3U)});
      }
      queue.offer(0);
    }
  });
}

constexpr std::array kDeeds{
    Deed{"queues-nowhere", placeQueuesNowhere}, Deed{"buffers-nowhere", placeBuffersNowhere},
    Deed{"chain-in-a-circle", chainInACircle},  Deed{"indirect-nested", nestIndirectTables},
    Deed{"lengths-huge", claimHugeLengths},     Deed{"ring-runs-ahead", runTheRingAhead},
    Deed{"sizes-odd", chooseOddSizes},          Deed{"reset-in-flight", resetInFlight},
    Deed{"requests-by-chance", askByChance},
};

}  // namespace

std::span<const Deed> queueDeeds() {
  return kDeeds;
}

}  // namespace hostile
