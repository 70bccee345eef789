# Hot loops that V8 compiles, deoptimises and compiles again: integers, floats, objects, typed arrays, closures, garbage.
exec node - <<'JS'
function integers(n) { let h = 0; for (let i = 0; i < n; i++) { h = Math.imul(h ^ i, 0x01000193); h ^= h >>> 13; h = (h << 5) | (h >>> 27); } return h >>> 0; }
function floats(n) { let x = 0.5, s = 0; for (let i = 0; i < n; i++) { x = 3.9999 * x * (1 - x); s += Math.sqrt(x) - Math.floor(s / 1000); } return s; }
class Point { constructor(x, y) { this.x = x; this.y = y; } add(o) { return new Point(this.x + o.x, this.y - o.y); } }
function objects(n) { let p = new Point(0, 0); for (let i = 0; i < n; i++) p = p.add(new Point(i % 7, i % 11)); return p; }
function typed(n) { const a = new Float64Array(n), b = new Int32Array(n), c = new Uint8ClampedArray(n); for (let i = 0; i < n; i++) { a[i] = i / 3; b[i] = i * 2654435761; c[i] = b[i] >> 20; } let s = 0; for (let i = 0; i < n; i++) s += a[i] * c[i] - b[i]; return s; }
function polymorphic(v) { return v + v; }
function sieve(n) { const p = new Uint8Array(n + 1); let count = 0; for (let i = 2; i <= n; i++) { if (p[i]) continue; count++; for (let j = i * i; j <= n; j += i) p[j] = 1; } return count; }
for (let round = 0; round < 3; round++) console.log(integers(2e6), floats(1e6), JSON.stringify(objects(5e5)), typed(3e5), sieve(5e5));
let mixed = 0; for (let i = 0; i < 3e5; i++) mixed += polymorphic(i % 1000 === 999 ? String(i) : i % 3 ? i : i + 0.5).toString().length; console.log(mixed);
const closures = Array.from({ length: 1000 }, (_, i) => (x) => x * i + 1); console.log(closures.reduce((a, f) => f(a) % 1000003, 7));
function* fibonacci() { let [a, b] = [0, 1]; for (;;) { yield a; [a, b] = [b, a + b]; } } let k = 0; for (const f of fibonacci()) if (k++ > 70) { console.log(f); break; }
const tree = (d) => (d ? { l: tree(d - 1), r: tree(d - 1) } : null), size = (t) => (t ? 1 + size(t.l) + size(t.r) : 0); let nodes = 0; for (let i = 0; i < 20; i++) nodes += size(tree(14)); console.log(nodes);
try { (function deep(n) { return deep(n + 1) + 1; })(0); } catch (e) { console.log(e.constructor.name); }
console.log([0.1 + 0.2, 1e21 + 1, 5e-324, -0, 2 ** 53 + 2, 0xffffffff | 0, -7 % 3, 1 / 3].map(String).join(' '), Math.round(-2.5), Math.fround(0.1), Math.hypot(3, 4), Math.clz32(77), Math.trunc(-3.7));
JS
