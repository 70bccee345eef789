# Every digest that hashlib has, of the same megabyte.
exec python3 -I - <<'PY'
import hashlib, zlib, binascii
data = bytes((i * i * 31 + (i >> 3)) & 255 for i in range(1 << 20))
for name in sorted(hashlib.algorithms_guaranteed):
    digest = hashlib.new(name, data)
    print(name, digest.hexdigest(32) if name.startswith("shake") else digest.hexdigest())
print(zlib.crc32(data), zlib.adler32(data), binascii.crc_hqx(data, 0))
print(hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 5000).hex())
print(hashlib.scrypt(b"password", salt=b"salt", n=1024, r=8, p=1).hex())
for level in (1, 6, 9):
    packed = zlib.compress(data, level)
    print(level, len(packed), zlib.decompress(packed) == data)
PY
