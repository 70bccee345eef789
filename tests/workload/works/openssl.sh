# Digests and ciphers of a file, keys, signatures, a certificate; then openssl's own measuring loops, for what they execute.
mkdir o && cd o || exit 1
awk 'BEGIN { for (i = 0; i < 40000; i++) print i * 7919 % 104729 }' >file
for digest in md5 sha1 sha224 sha256 sha384 sha512 sha3-256 sha3-512 shake256 blake2b512 blake2s256 ripemd160 sm3; do openssl dgst "-$digest" file; done
openssl dgst -sha256 -hmac key file
for cipher in aes-128-cbc aes-256-cbc aes-256-ctr aes-128-ofb camellia-256-cbc aria-256-ctr chacha20 des-ede3-cbc sm4-cbc; do
  openssl enc -"$cipher" -K 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f -iv 0f0e0d0c0b0a09080706050403020100 -in file -out secret 2>/dev/null
  sha256sum <secret
  openssl enc -d -"$cipher" -K 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f -iv 0f0e0d0c0b0a09080706050403020100 -in secret 2>/dev/null | cmp - file && echo "$cipher comes back"
done
openssl enc -aes-256-cbc -pbkdf2 -iter 20000 -S 0102030405060708 -k password -in file | sha256sum
for kind in 'RSA -pkeyopt rsa_keygen_bits:2048' 'EC -pkeyopt ec_paramgen_curve:P-256' 'EC -pkeyopt ec_paramgen_curve:P-521' ED25519 ED448; do
  # shellcheck disable=SC2086  # options
  openssl genpkey -algorithm $kind -out key 2>/dev/null
  openssl pkey -in key -pubout -out public
  head -c 1000 file >message
  openssl pkeyutl -sign -inkey key -rawin -in message -out signature && openssl pkeyutl -verify -pubin -inkey public -rawin -in message -sigfile signature
done
openssl genpkey -algorithm X25519 -out a && openssl genpkey -algorithm X25519 -out b && openssl pkey -in a -pubout -out a.pub && openssl pkey -in b -pubout -out b.pub
openssl pkeyutl -derive -inkey a -peerkey b.pub -out one && openssl pkeyutl -derive -inkey b -peerkey a.pub -out two && cmp one two && echo 'one secret'
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=test -days 1 2>/dev/null && openssl verify -CAfile ca.pem ca.pem
openssl prime -generate -bits 256 >prime && openssl prime "$(cat prime)" | grep -c 'is prime'
for what in '-evp aes-128-gcm' '-evp chacha20-poly1305' '-evp sha512' rsa2048 ecdsap256 ecdhx25519 ed25519; do
  # shellcheck disable=SC2086  # options
  openssl speed -seconds 1 -bytes 1024 $what >/dev/null 2>&1 && echo "$what ran"
done
