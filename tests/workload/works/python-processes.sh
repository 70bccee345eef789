# Children, pipes, signals, threads, memory mapped and shared.
exec python3 -I - <<'PY'
import mmap, os, select, signal, subprocess, threading, queue, tempfile
seen = []
signal.signal(signal.SIGUSR1, lambda number, frame: seen.append(number))
for _ in range(50):
    os.kill(os.getpid(), signal.SIGUSR1)
print(len(seen), subprocess.run(["sh", "-c", "kill -SEGV $$"]).returncode)
shared = mmap.mmap(-1, 65536)
children = []
for child in range(8):
    pid = os.fork()
    if pid == 0:
        for at in range(child, 65536, 8):
            shared[at] = child + 1
        os._exit(child)
    children.append(pid)
print([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children])
print(sum(shared[:]), subprocess.run(["wc", "-c"], input=bytes(shared), capture_output=True).stdout)
work, done = queue.Queue(), queue.Queue()
def serve():
    while (item := work.get()) is not None:
        done.put(item * item)
threads = [threading.Thread(target=serve) for _ in range(6)]
for thread in threads: thread.start()
for number in range(3000): work.put(number)
for _ in threads: work.put(None)
for thread in threads: thread.join()
print(sum(done.get() for _ in range(3000)))
with tempfile.TemporaryFile() as file:
    file.truncate(1 << 20)
    with mmap.mmap(file.fileno(), 0) as view:
        view[1000:1005] = b"hello"
    file.seek(1000)
    print(file.read(5), os.fstat(file.fileno()).st_size)
read, write = os.pipe()
signal.setitimer(signal.ITIMER_REAL, 0.05)
signal.signal(signal.SIGALRM, lambda *_: os.write(write, b"!"))
print(select.select([read], [], [], 30)[0] == [read])
PY
