# Digests of the built-in hash functions, in one piece and in many, and their attributes.
import _md5, _sha1, _sha256, _sha512, _sha3, _blake2

def attempt(f, *args, **kwargs):
    try:
        return f(*args, **kwargs)
    except Exception as e:
        return f"{type(e).__name__}: {e}"

makers = [_md5.md5, _sha1.sha1, _sha256.sha224, _sha256.sha256, _sha512.sha384, _sha512.sha512, _sha3.sha3_224, _sha3.sha3_256, _sha3.sha3_384, _sha3.sha3_512, _blake2.blake2b, _blake2.blake2s]
data = bytes(range(256)) * 5
for make in makers:
    h = make()
    print(h.name, h.digest_size, h.block_size, h.hexdigest()[:32])
    h = make(b"abc")
    c = h.copy()
    for i in range(0, len(data), 77):
        h.update(data[i:i + 77])
    whole = make(b"abc" + data)
    print(h.hexdigest() == whole.hexdigest(), h.digest() == whole.digest(), whole.hexdigest()[-16:], c.hexdigest()[:16], len(h.digest()))
    h.update(bytearray(b"x"))
    print(h.hexdigest()[:8], attempt(make, "text"), attempt(make, 5), attempt(h.update, "a"), attempt(h.update))
    for n in (55, 56, 63, 64, 65, 111, 112, 127, 128, 129, 135, 136, 137, 144):
        print(make(b"a" * n).hexdigest()[:8], end=" ")
    print()
for make in (_sha3.shake_128, _sha3.shake_256):
    h = make(b"abc")
    print(h.name, h.digest_size, h.hexdigest(10), h.digest(3), len(h.digest(500)), h.hexdigest(500)[-8:], attempt(h.digest, -1), attempt(h.digest))
s = _sha3.sha3_256()
print(s._capacity_bits, s._rate_bits, s._suffix, _sha3.shake_128()._suffix)
b2 = _blake2.blake2b
print(b2(b"x", digest_size=20).hexdigest(), b2(b"x", key=b"key", salt=b"salt", person=b"person").hexdigest()[:20], b2.SALT_SIZE, b2.MAX_KEY_SIZE, _blake2.blake2s.PERSON_SIZE, _blake2.blake2s.MAX_DIGEST_SIZE)
print(b2(b"x", fanout=2, depth=3, leaf_size=4096, node_offset=2**40, node_depth=1, inner_size=32, last_node=True).hexdigest()[:20])
print(_blake2.blake2s(b"x", fanout=2, depth=3, leaf_size=4096, node_offset=2**40, node_depth=1, inner_size=32, last_node=True).hexdigest()[:20])
for kw in (dict(digest_size=0), dict(digest_size=65), dict(key=b"k" * 65), dict(salt=b"s" * 17), dict(person=b"p" * 17), dict(fanout=256), dict(fanout=-1), dict(depth=0), dict(node_depth=256), dict(inner_size=65), dict(leaf_size=2**32), dict(node_offset=2**64), dict(leaf_size=-1), dict(node_offset=-1)):
    print(kw if "key" not in kw else "key", attempt(b2, **kw))
print(_sha256.sha256(b"a", usedforsecurity=False).hexdigest()[:8], _md5.md5(string=b"a").hexdigest())
