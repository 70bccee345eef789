# vcpus: 4
# timeout: 1800
# Twenty times: make -j4 of a program of twelve files, built from nothing, run, its answer and every object compared with the first's.
mkdir p && cd p || exit 1
i=0
while [ $i -lt 12 ]; do
  printf '#include "all.h"\n#include <string.h>\nstatic unsigned char room[%d];\nunsigned long part%d(unsigned long x) {\n  memset(room, (int)x, sizeof room);\n  for (int i = 0; i < %d; i++) x = x * %d + room[i %% sizeof room] + (x >> %d);\n  return x;\n}\n' $((64 + i)) $i $((1000 + i)) $((31 + 2 * i)) $((7 + i)) >part$i.c
  printf 'unsigned long part%d(unsigned long);\n' $i >>all.h
  i=$((i + 1))
done
{ echo '#include "all.h"'; echo '#include <stdio.h>'; echo 'int main(void) { unsigned long x = 1;'; i=0; while [ $i -lt 12 ]; do echo "x = part$i(x);"; i=$((i + 1)); done; printf '%s\n' 'printf("%lu\n", x); return 0; }'; } >main.c
printf 'objects := main.o $(patsubst %%,part%%.o,0 1 2 3 4 5 6 7 8 9 10 11)\nprogram: $(objects)\n\t@gcc -o $@ $^\n%%.o: %%.c all.h\n\t@gcc -O2 -c -o $@ $<\nclean:\n\t@rm -f program *.o\n' >Makefile
i=0
while [ $i -lt 20 ]; do
  make -s clean && make -s -j4 && ./program || exit 1
  sha256sum program ./*.o >"sums$i"
  cmp sums0 "sums$i" || exit 1
  i=$((i + 1))
done
sha256sum sums0
