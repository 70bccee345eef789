# JSON, regular expressions, Unicode, sorting.
exec python3 -I - <<'PY'
import json, re, textwrap, unicodedata, base64, struct, collections
words = [f"w{(i * 7919) % 10007:05d}-{chr(0x3b1 + i % 24)}" for i in range(20000)]
document = {"words": words, "nested": [{"n": i, "f": i / 7, "t": str(i) * (i % 5)} for i in range(3000)]}
text = json.dumps(document, sort_keys=True)
assert json.loads(text) == document
print(len(text), text[:60], text[-60:])
found = re.findall(r"w(\d{3})(\d)(\d)-([α-λ])", " ".join(words))
print(len(found), found[:5], collections.Counter(f[3] for f in found).most_common(3))
print(re.sub(r"(?<=w)0+(?=\d)", lambda m: f"<{len(m.group())}>", " ".join(words[:40])))
print(sorted(words, key=lambda w: (w[-1], w))[:8])
print(unicodedata.normalize("NFKD", "ﬁancé Ångström ½"), "straße".upper())
print(base64.b85encode(struct.pack(">dqIhb", 3.5, -(2**40), 2**31, -2, 7)))
print(textwrap.fill(" ".join(words[:50]), 60))
PY
