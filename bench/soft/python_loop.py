# 100,000 rounds of what interpreted programs do: arithmetic on integers and floats, a list, a dictionary, strings.
import time

start = time.monotonic_ns()
numbers, counts, total, mean = [], {}, 0, 0.0
for i in range(100_000):
    total = (total * 31 + i) % 1_000_003
    mean += (total - mean) / (i + 1)
    numbers.append(total)
    key = f"{total % 97}"
    counts[key] = counts.get(key, 0) + 1
numbers.sort()
check = sum(n * i for i, n in enumerate(numbers)) ^ hash(mean) ^ sum(int(k) * v for k, v in counts.items())
print("python", time.monotonic_ns() - start, f"{check:x}")
