# translate maps code points to text, numbers or nothing.
print("hello".translate({ord("l"): "L", ord("o"): None, ord("h"): 72}), "abc".translate(str.maketrans("ab", "xy", "c")), str.maketrans({"a": 1}))
