# base64, hex, uu, quoted-printable and checksums, with their errors.
import binascii as b


def show(f, *args, **kw):
    try:
        return f(*args, **kw)
    except Exception as e:
        return f"{type(e).__module__}.{type(e).__name__}: {e}"


data = bytes(range(256))
for n in (0, 1, 2, 3, 45):
    part = data[100:100 + n]
    print(b.b2a_base64(part), b.b2a_base64(part, newline=False), b.b2a_hex(part), b.b2a_uu(part), b.b2a_uu(part, backtick=True))
    print(b.a2b_base64(b.b2a_base64(part)) == part, b.a2b_hex(b.b2a_hex(part)) == part, b.a2b_uu(b.b2a_uu(part)) == part)
for s in ["", "a", "ab", "abc", "abcd", "ab==", "ab=c", "a=b=", "====", "YQ==x", "Y\nQ=\n=", "YWJj\x80", "=YQ=", "YQ", "YWI"]:
    print(repr(s), show(b.a2b_base64, s), show(b.a2b_base64, s.encode("latin-1")), show(b.a2b_base64, s.encode("latin-1"), strict_mode=True), sep=" | ")
for s in ["0", "0g", "AbCd", "é", 3, bytearray(b"ff")]:
    print(show(b.unhexlify, s), end=" ")
print(b.hexlify(b"abcdef", ":"), b.hexlify(b"abcdef", "-", 2), b.hexlify(b"abcde", b"_", -2), show(b.hexlify, "a"))
for s in [b"", b"#86)C\n", b"!00\x80", b"!00  x", b"$86)C", "\"86(`"]:
    print(show(b.a2b_uu, s), end=" ")
print(show(b.b2a_uu, b"x" * 46))
for s in [b"a=b", b"a b ", b"tab\t\r\nx", b".", b"x\n.\n", b"=" * 30, b"x" * 80, "é_ü".encode(), b"a\rb"]:
    for kw in ({}, {"quotetabs": True}, {"istext": False}, {"header": True}):
        q = b.b2a_qp(s, **kw)
        print(q, b.a2b_qp(q, header=kw.get("header", False)) == s, end=" ")
    print()
print([b.a2b_qp(s) for s in (b"=41", b"=4", b"=", b"==41", b"a=\nb", b"a=  \nb", b"=zz", b"=a9")])
print(b.crc32(data), b.crc32(b"b", b.crc32(b"a")) == b.crc32(b"ab"), b.crc32(b"x", -1), b.crc_hqx(data, 0), b.crc_hqx(b"b", 2**40 + 7))
