# The scanner, the encoder and the string functions of _json, through json.
import json, _json

def attempt(f, *args, **kwargs):
    try:
        return f(*args, **kwargs)
    except Exception as e:
        return f"{type(e).__name__}: {e}"

print(json.decoder.scanstring is _json.scanstring, json.encoder.c_make_encoder is _json.make_encoder)
for text in ['{"a": [1, 2.5, -3e2, true, false, null], "b": {"c": "d\\n\\u00e9\\ud83d\\ude00"}}', '[]', '{}', ' [ 1 , 2 ] ', '"\\ud800"', '"\\"\\\\\\/\\b\\f\\t"', '123456789012345678901234567890', '-0', '-0.0', '1E400', 'NaN', '[Infinity, -Infinity]', '"é"']:
    print(repr(json.loads(text)))
for text in ['', '[', '[1', '[1,', '[1,]', '{', '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a":1,}', '{1:2}', '"abc', '"\\x"', '"\\u12"', '"\\u12g4"', '"\n"', '01', '-', '1.', '.5', '1e', 'nul', 'tru', '[1 2]', '{"a" 1}', '"\\', '[1]x', '+1', 'nan']:
    print(repr(text), attempt(json.loads, text))
print(json.loads('{"a": 1}', object_hook=lambda d: ("hook", d)), json.loads('{"a": 1, "a": 2}', object_pairs_hook=list), json.loads('[1.5, 2]', parse_float=str, parse_int=lambda s: s + "!"), attempt(json.loads, '[NaN]', parse_constant=lambda c: 1 / 0))
print(json.loads('"a\tb"', strict=False), attempt(json.loads, '"a\tb"'))
keys = [list(d)[0] for d in json.loads('[{"name": 1}, {"name": 2}]')]
print(keys[0] is keys[1])
for v in [{"a": [1, 2.5, None, True, False], "é": "\u20ac\U0001f600\x7f\x00\"\\"}, [], {}, (), [[]], "x", 5, 1e100, -0.0, float("nan"), float("-inf"), {1: 2, 2.5: 3, None: 4, True: 5}, [{"a": {}}]]:
    print(json.dumps(v), json.dumps(v, ensure_ascii=False), json.dumps(v, separators=(",", ":"), sort_keys=False))
print(json.dumps({"b": 1, "a": 2}, sort_keys=True), json.dumps({(1, 2): 3, "a": 1}, skipkeys=True), json.dumps([1, {"a": 2}], indent=2))
loop = []; loop.append(loop)
print(attempt(json.dumps, loop), attempt(json.dumps, {(1,): 2}), attempt(json.dumps, object), attempt(json.dumps, float("inf"), allow_nan=False), attempt(json.dumps, {1}))
print(json.dumps({1, }, default=list), attempt(json.dumps, {1}, default=lambda o: o))
class I(int):
    def __repr__(self): return "no"
class F(float):
    def __repr__(self): return "no"
class S(str): pass
class D(dict):
    def items(self): return [("x", 1)]
print(json.dumps([I(5), F(2.5), S("s"), D(a=2)]))
print(_json.scanstring('abc"d', 0), _json.encode_basestring('é\n"'), _json.encode_basestring_ascii('é\n"'), attempt(_json.encode_basestring, 5), attempt(_json.scanstring, 5, 0), attempt(_json.scanstring, "a", 5))
deep = "[" * 100000
print(attempt(json.loads, deep)[:14])
