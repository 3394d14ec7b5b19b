# f-strings evaluate, convert and format, with nested specs and =.
x, w, p = 3.14159, 10, 2
s = "text"
d = {"k": [1, 2]}
print(f"{x:{w}.{p}f}|{x!r:>12}|{s!s:^10}|{s:*<8}|{d['k'][1]}|{{}}|{x=:.1f}|{s = }|{len(s)+1=}")
print(f"{1_000_000:,}|{255:#x}|{255:08b}|{-5:+d}|{0.25:%}|{1e10:g}|{12345.678:e}|{True:d}|{'é':>3}")
print(f"{(lambda a: a * 2)(4)}|{[i for i in range(3)]}|{'a' if x > 3 else 'b'}|{s!a}" f" joined {x:.0f}")
print(f"""multi
{s}""", rf"\n{s}", f"{s:}" == s)
