# vcpus: 4
# A hundred times: four threads sort a quarter each, merge in pairs behind barriers, and count under mutexes and atomics.
mkdir m && cd m || exit 1
cat >sort.c <<'C'
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
enum { kThreads = 4, kPart = 20000, kAll = kThreads * kPart };
static uint32_t numbers[kAll], merged[kAll];
static pthread_barrier_t barrier;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static uint64_t locked, turn;
static atomic_ullong added, exchanged;
static int compare(const void *a, const void *b) { uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b; return (x > y) - (x < y); }
static void merge(uint32_t *to, const uint32_t *a, const uint32_t *b, int n) { int i = 0, j = 0; while (i < n || j < n) *to++ = j == n || (i < n && a[i] <= b[j]) ? a[i++] : b[j++]; }
static void *work(void *argument) {
  int me = (int)(long)argument;
  qsort(numbers + me * kPart, kPart, sizeof *numbers, compare);
  for (int i = 0; i < 500; i++) {
    pthread_mutex_lock(&mutex); locked += (uint64_t)me + 1; pthread_mutex_unlock(&mutex);
    atomic_fetch_add(&added, (unsigned long long)me + 1);
    unsigned long long seen = atomic_load(&exchanged); while (!atomic_compare_exchange_weak(&exchanged, &seen, seen + 3)) {}
  }
  for (int i = 0; i < 10; i++) { pthread_mutex_lock(&mutex); while (turn % kThreads != (uint64_t)me) pthread_cond_wait(&turned, &mutex); turn++; pthread_cond_broadcast(&turned); pthread_mutex_unlock(&mutex); }
  pthread_barrier_wait(&barrier);
  if (me % 2 == 0) merge(merged + me * kPart, numbers + me * kPart, numbers + (me + 1) * kPart, kPart);
  pthread_barrier_wait(&barrier);
  if (me == 0) merge(numbers, merged, merged + 2 * kPart, 2 * kPart);
  return NULL;
}
int main(int count, char **words) {
  uint64_t state = strtoull(words[count - 1], NULL, 10) * 2654435761u + 1, before = 0, after = 0, digest = 0;
  for (int i = 0; i < kAll; i++) { state ^= state << 13; state ^= state >> 7; state ^= state << 17; numbers[i] = (uint32_t)state; before += numbers[i]; }
  pthread_t ids[kThreads]; pthread_barrier_init(&barrier, NULL, kThreads);
  for (long i = 0; i < kThreads; i++) pthread_create(&ids[i], NULL, work, (void *)i);
  for (int i = 0; i < kThreads; i++) pthread_join(ids[i], NULL);
  for (int i = 0; i < kAll; i++) { after += numbers[i]; digest = digest * 31 + numbers[i]; if (i > 0 && numbers[i - 1] > numbers[i]) { printf("not sorted at %d\n", i); return 1; } }
  printf("%s %016llx %d %llu %llu %llu %llu\n", words[1], (unsigned long long)digest, before == after, (unsigned long long)locked, added, exchanged, (unsigned long long)turn);
  return before != after;
}
C
gcc -O2 -pthread -o sort sort.c || exit 1
i=0
while [ $i -lt 100 ]; do
  ./sort $i || exit 1
  i=$((i + 1))
done
