# Complex arithmetic, parts, texts and errors.
z = 3 + 4j
print(z, z * z, z / (1 - 2j), abs(z), z.conjugate(), z.real, z.imag, -z, z ** 2, z == 3 + 4j, 1j ** 2, complex("1+2j"), complex(1, -0.0), repr(-0j), hash(3 + 0j) == hash(3))
print(complex("-inf+nanj"), 1e20 + 1j, complex(2), 2 + 0j == 2, z + 1, 1 - z, 2.5 * z, z - z)
for text in ("z < 1", "z // 2", "z % 2", "int(z)", "float(z)", "complex('x')", "z / 0", "complex('1', 2)", "0j ** -1"):
    try:
        print(eval(text))
    except (TypeError, ValueError, ZeroDivisionError) as e:
        print(type(e).__name__, e)
