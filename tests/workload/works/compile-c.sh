# A C program of many kinds of arithmetic, compiled four ways; all must agree.
mkdir c && cd c || exit 1
cat >arithmetic.c <<'C'
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
static uint64_t state = 88172645463325252u, check = 14695981039346656037u;
static uint64_t next(void) { state ^= state << 13; state ^= state >> 7; return state ^= state << 17; }
static void mix(const void *p, size_t n) { for (const unsigned char *c = p; n--; c++) check = (check ^ *c) * 1099511628211u; }
#define MIX(type, expression) do { type value = (expression); mix(&value, sizeof value); } while (0)
static void integers(void) {
  uint64_t a = next(), b = next() | 1; int64_t s = (int64_t)a, t = (int64_t)(b >> 1) | 1;
  MIX(uint64_t, a / b + a % b); MIX(int64_t, s / t ^ s % t); MIX(uint32_t, (uint32_t)a / (uint32_t)b);
  unsigned __int128 wide = (unsigned __int128)a * b; MIX(uint64_t, (uint64_t)(wide >> 64)); MIX(uint64_t, (uint64_t)(wide / (b >> 7 | 1)));
  MIX(int64_t, (int64_t)(((__int128)s * t) >> 61)); MIX(uint64_t, a << (b & 63) | a >> (-b & 63)); MIX(int32_t, (int32_t)a >> (b & 31));
  MIX(int, __builtin_popcountll(a) + __builtin_clzll(a | 1) * 3 + __builtin_ctzll(b) * 5); MIX(uint64_t, __builtin_bswap64(a) ^ __builtin_bswap32((uint32_t)b));
  int64_t sum; MIX(int, __builtin_add_overflow(s, t, &sum)); MIX(int, __builtin_mul_overflow(s, (int64_t)3, &sum)); MIX(int16_t, (int16_t)(s * t));
}
static void doubles(void) {
  double x = (double)(int64_t)next() * 0x1p-40, y = (double)(next() >> 11) * 0x1p-20; float f = (float)x, g = (float)y; long double l = (long double)x * y;
  MIX(double, x + y * x / (y + 1)); MIX(double, sqrt(y) - fabs(x)); MIX(float, f * g - f / (g + 1)); MIX(float, sqrtf(g)); MIX(double, floor(x) + ceil(y) * trunc(x) + rint(y));
  MIX(int64_t, (int64_t)x); MIX(int32_t, (int32_t)f); MIX(uint64_t, (uint64_t)y); MIX(double, (double)next()); MIX(double, fmod(x, 3.7)); MIX(int, x < y | (x == y) << 1 | isgreater(f, g) << 2);
  unsigned char bytes[16] = {0}; l = l / 3 + sqrtl((long double)y) - x; memcpy(bytes, &l, 10); mix(bytes, 10);
  MIX(double, (double)(l * 1.5L)); MIX(int64_t, llrintl(l)); MIX(double, (double)fmodl(l, 2.5L)); MIX(double, copysign(x, -y)); MIX(double, fmin(x, y) + fmax(x, y));
}
static void arrays(void) {
  static int32_t in[256], out[256]; static uint8_t small[512]; static float real[128]; double sum = 0;
  for (int i = 0; i < 256; i++) in[i] = (int32_t)next();
  for (int i = 0; i < 512; i++) small[i] = (uint8_t)(in[i / 2] >> (i % 4 * 8));
  for (int i = 0; i < 256; i++) out[i] = in[i] > 0 ? in[i] * 3 - small[i] : (in[i] >> 3) ^ small[511 - i];
  for (int i = 0; i < 512; i++) small[i] = (uint8_t)(small[i] > 127 ? 255 - small[i] : small[i] + 1);
  for (int i = 0; i < 128; i++) real[i] = (float)out[i] / (1 + small[i]);
  for (int i = 0; i < 128; i++) sum += real[i];
  mix(out, sizeof out); mix(small, sizeof small); mix(real, sizeof real); MIX(double, sum); MIX(int, memcmp(small, small + 256, 256) > 0);
}
int main(void) {
  for (int i = 0; i < 20000; i++) { integers(); doubles(); if (i % 20 == 0) arrays(); }
  printf("%016llx %.17Lg %a %'d %s\n", (unsigned long long)check, sqrtl(2), exp(1), 123456789, strerror(2));
  return 0;
}
C
for flags in -O0 -O1 '-O2 -ftree-vectorize' '-O3 -march=x86-64-v2'; do
  # shellcheck disable=SC2086  # flags are several words
  gcc $flags -ffp-contract=off -w -o arithmetic arithmetic.c -lm && ./arithmetic
done
