# vcpus: 4
# Four threads of node on one shared buffer: Atomics, waiting and waking.
cat >workers.js <<'JS'
const { Worker, isMainThread, workerData } = require('worker_threads');
if (isMainThread) {
  const shared = new Int32Array(new SharedArrayBuffer(4096)); let left = 4;
  for (let id = 0; id < 4; id++)
    new Worker(__filename, { workerData: { shared, id } }).on('exit', () => { if (--left === 0) console.log(shared[0], shared[1], shared[2], Array.from(shared.subarray(8, 12)).join()); });
} else {
  const { shared, id } = workerData; let own = 0;
  for (let i = 0; i < 50000; i++) { Atomics.add(shared, 0, id + 1); own = (Math.imul(own, 31) + i) | 0; for (;;) { const seen = Atomics.load(shared, 1); if (Atomics.compareExchange(shared, 1, seen, seen + 1) === seen) break; } }
  for (let i = 0; i < 100; i++) { let turn; while ((turn = Atomics.load(shared, 2)) % 4 !== id) Atomics.wait(shared, 2, turn); Atomics.add(shared, 2, 1); Atomics.notify(shared, 2); }
  shared[8 + id] = own;
}
JS
exec node workers.js
