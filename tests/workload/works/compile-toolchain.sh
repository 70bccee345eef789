# Each step of the toolchain: preprocessor, compiler's assembly, assembler, archive, shared library, linker, dlopen.
mkdir t && cd t || exit 1
printf 'int twice(int x) { return 2 * x; }\n' >twice.c
printf '#include <stdlib.h>\nvoid *some(size_t n) { return calloc(n, 3); }\n' >some.c
cat >main.c <<'C'
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
int twice(int);
static __thread int own = 5;
static jmp_buf back;
static void on_signal(int number) { siglongjmp(back, number); }
static void *thread(void *p) { own += *(int *)p; return (void *)(long)own; }
int main(void) {
  void *library = dlopen("./libsome.so", RTLD_NOW); void *(*some)(size_t) = (void *(*)(size_t))dlsym(library, "some");
  char *memory = some(100); pthread_t id; int add = 7; void *result;
  pthread_create(&id, NULL, thread, &add); pthread_join(id, &result);
  signal(SIGSEGV, on_signal); signal(SIGFPE, on_signal); signal(SIGILL, on_signal); signal(SIGTRAP, on_signal);
  volatile int zero = 0; int caught[4] = {0}, n;
  if ((n = sigsetjmp(back, 1)) == 0) *(volatile int *)8 = 1; else caught[0] = n;
  if ((n = sigsetjmp(back, 1)) == 0) zero = 1 / zero; else caught[1] = n;
  if ((n = sigsetjmp(back, 1)) == 0) __builtin_trap(); else caught[2] = n;
  if ((n = sigsetjmp(back, 1)) == 0) __asm__ volatile("int3"); else caught[3] = n;
  printf("%d %d %d %ld %d %d %d %d\n", twice(21), memory[299], own, (long)result, caught[0], caught[1], caught[2], caught[3]);
  return 0;
}
C
gcc -E main.c | grep -c . && gcc -O2 -S twice.c && as -o twice.o twice.s && ar rcs libtwice.a twice.o && gcc -O2 -fPIC -shared -o libsome.so some.c
gcc -O2 -o main main.c -L. -ltwice -pthread -w && ./main && gcc -static -O2 -o static main.c twice.c -pthread -w 2>/dev/null && ./static
objdump -d twice.o | tail -n 4; nm libtwice.a; readelf -h main | grep -E 'Class|Type|Machine'; sha256sum twice.o main
