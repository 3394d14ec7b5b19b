# Equal texts compare equal however they were built; hashes agree.
a = "hello world"
b = " ".join(["hello", "world"])
print(a == b, hash(a) == hash(b), {a: 1}[b], "a" "b" == "ab", "abc" is not "abcd"[:3] or True)
