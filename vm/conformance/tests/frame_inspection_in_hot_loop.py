# sys._getframe and locals() see exact values from a function called in a hot loop.
import sys
def look():
    f = sys._getframe(1)
    return f.f_locals["i"], f.f_locals["t"], f.f_lineno, f.f_code.co_name
def run(n):
    t = 0
    seen = []
    for i in range(n):
        t += i
        if i % 97 == 96:
            seen.append(look())
        if i == 150: seen.append(sorted(locals().items(), key=lambda kv: kv[0])[0])
    return seen
print(run(300))
