# vcpus: 4
# Four processes of Python, shared memory, locks and pipes between them.
exec python3 -I - <<'PY'
import multiprocessing, hashlib
def work(number):
    data = hashlib.sha256(str(number).encode()).digest()
    for _ in range(300):
        data = hashlib.sha256(data + data[::-1]).digest()
    return number, data.hex()[:16]
def count(counter, lock):
    for _ in range(2000):
        with lock:
            counter.value += 1
if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    with context.Pool(4) as pool:
        answers = pool.map(work, range(400), chunksize=7)
    print(hashlib.sha256(str(answers).encode()).hexdigest())
    counter, lock = context.Value("i", 0, lock=False), context.Lock()
    processes = [context.Process(target=count, args=(counter, lock)) for _ in range(4)]
    for process in processes: process.start()
    for process in processes: process.join()
    print(counter.value, [process.exitcode for process in processes])
PY
