# Recursion below the limit works in hot code, repeatedly.
def down(n): return 0 if n == 0 else 1 + down(n - 1)
def even(n): return True if n == 0 else odd(n - 1)
def odd(n): return False if n == 0 else even(n - 1)
print([down(900) for _ in range(20)][-1], even(800), odd(801))
def ack(m, n):
    if m == 0: return n + 1
    if n == 0: return ack(m - 1, 1)
    return ack(m - 1, ack(m, n - 1))
print(ack(2, 30))
