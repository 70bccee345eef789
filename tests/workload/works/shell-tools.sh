# What a shell script is made of: sort, awk, sed, grep, tar, gzip, dd, find, cmp.
mkdir s && cd s || exit 1
awk 'BEGIN { for (i = 0; i < 50000; i++) printf "%d %s %.6f\n", i * 7919 % 100003, substr("abcdefghijklmnopqrstuvwxyz", i % 26 + 1), i / 7 }' >lines
sort -n lines | sha256sum; sort -k2,2 -k3,3gr lines | sha256sum; sort -u -k2,2 lines | wc -l
sed -E 's/^([0-9]+) (.)(.*) /\3:\2:\1 /; /z/d' lines | sha256sum; grep -cE '^[0-9]*(17|71).* [x-z]' lines
awk '{ s[$2] += $3; n[$2]++ } END { for (k in s) printf "%s %.10g %d\n", k, s[k], n[k] }' lines | sort | head -n 5
gzip -9 <lines >lines.gz && gzip -dc lines.gz | cmp - lines && wc -c <lines.gz
mkdir tree && for i in 1 2 3 4 5 6 7 8; do mkdir "tree/$i" && split -l 10000 lines "tree/$i/part-"; done
tar -C tree --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf tree.tar . && sha256sum tree.tar && mkdir back && tar -C back -xf tree.tar && diff -r tree back && find back -type f | wc -l
dd if=tree.tar bs=64k count=10 skip=3 2>/dev/null | cksum; od -An -tx1 -N 64 -j 1000 lines; b2sum lines; md5sum lines; sha512sum lines
i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); done; echo $i; expr 12345 \* 6789; factor 1000000016000000063; seq 1 7 200 | paste -sd+ | sed 's/$/\n/' | head -n 1; printf '%x %o %e\n' 255 8 1.5
