# A memoryview shares its object's buffer and locks its size.
a = bytearray(b"abcdef")
m = memoryview(a)
m[0] = 65
print(a, m[1:3].tobytes(), len(m), m.tolist(), m[::-1].tobytes(), m == b"Abcdef", m.format, m.shape, m.readonly)
try:
    a.append(1)
except BufferError as e:
    print(e)
m.release()
a.append(103)
print(a, memoryview(b"xy").readonly)
try:
    m[0]
except ValueError as e:
    print(e)
