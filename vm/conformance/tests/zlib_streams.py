# Compression and decompression, whole and in parts, with dictionaries, copies and errors.
import zlib

text = b"the quick brown fox jumps over the lazy dog. " * 200
for level in range(-1, 10):
    assert zlib.decompress(zlib.compress(text, level)) == text
for wbits in (15, 9, -15, 31):
    c = zlib.compressobj(6, zlib.DEFLATED, wbits)
    out = c.compress(text[:1000]) + c.flush(zlib.Z_SYNC_FLUSH) + c.compress(text[1000:]) + c.flush()
    print(wbits, zlib.decompress(out, wbits) == text, len(out) < len(text) // 4)
d = zlib.decompressobj()
packed = zlib.compress(text) + b"tail"
out = b""
for i in range(0, len(packed), 7):
    out += d.decompress(packed[i:i + 7])
print(out == text, d.eof, d.unused_data, d.unconsumed_tail)
d = zlib.decompressobj()
first = d.decompress(packed, 100)
print(len(first), d.eof, len(d.unconsumed_tail) > 0, first + d.decompress(d.unconsumed_tail) + d.flush() == text)
c = zlib.compressobj(zdict=b"quick brown fox")
out = c.compress(b"the quick brown fox") + c.flush()
print(zlib.decompressobj(zdict=b"quick brown fox").decompress(out))
c = zlib.compressobj()
head = c.compress(b"abc")
other = c.copy()
print(zlib.decompress(head + c.compress(b"x") + c.flush()), zlib.decompress(head + other.compress(b"yz") + other.flush()))
print(zlib.adler32(b"abc"), zlib.adler32(b"c", zlib.adler32(b"ab")) == zlib.adler32(b"abc"), zlib.crc32(b"abc"), zlib.crc32(b"", 1))


def show(f, *args, **kw):
    try:
        return f(*args, **kw)
    except Exception as e:
        return f"{type(e).__name__}: {e}"


print(show(zlib.decompress, b"not zlib"))
print(show(zlib.decompress, zlib.compress(b"x")[:-2]))
print(show(zlib.decompress, zlib.compress(b"x")[:-1] + b"?"))
print(show(zlib.compress, b"x", 11), show(zlib.compress, "x"), show(zlib.compressobj, 99), show(zlib.decompressobj, 99))
print(show(zlib.decompressobj, zdict="x"), show(zlib.decompressobj().decompress, b"", -1), show(zlib.decompressobj().flush, 0))
print(show(zlib.decompressobj().decompress, out), show(zlib.decompress, b"", bufsize=-1))
print(type(zlib.compressobj()), type(zlib.decompressobj()), zlib.error.__module__, zlib.MAX_WBITS, zlib.DEFLATED)
import gzip
print(gzip.decompress(gzip.compress(text)) == text)
