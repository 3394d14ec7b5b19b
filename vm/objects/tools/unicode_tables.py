"""Writes vm/objects/src/unicode/tables.rs from the running Python's own answers.

Run with the Python version whose behaviour is wanted:
    python3.11 vm/objects/tools/unicode_tables.py > vm/objects/src/unicode/tables.rs
"""

import sys
import unicodedata

BLOCK = 128
FLAGS = [
    "ALPHA", "DECIMAL", "DIGIT", "NUMERIC", "LOWER", "UPPER", "TITLE", "SPACE",
    "PRINTABLE", "XID_START", "XID_CONTINUE", "CASED", "CASE_IGNORABLE",
]


def flags(c):
    cased = (c + "\u03a3").lower()[-1] == "\u03c2"
    ignorable = not cased and ("A" + c + "\u03a3").lower()[-1] == "\u03c2"
    tests = [
        c.isalpha(), c.isdecimal(), c.isdigit(), c.isnumeric(), c.islower(), c.isupper(),
        c.istitle() and not c.isupper(), c.isspace(), c.isprintable(), c.isidentifier(),
        ("a" + c).isidentifier(), cased, ignorable,
    ]
    return sum(1 << i for i, t in enumerate(tests) if t)


def numbers(name, kind, values, per_line=16):
    print(f"pub(super) static {name}: [{kind}; {len(values)}] = [")
    for i in range(0, len(values), per_line):
        print("    " + ", ".join(map(str, values[i:i + per_line])) + ",")
    print("];\n")


def two_stage(name, values, kind):
    blocks, index = {}, []
    for at in range(0, len(values), BLOCK):
        block = tuple(values[at:at + BLOCK])
        index.append(blocks.setdefault(block, len(blocks)))
    numbers(f"{name}_INDEX", "u16", index, 24)
    numbers(f"{name}_BLOCKS", kind, [v for b in blocks for v in b], 24)


def mapping(name, convert):
    """Code points that change: (from, to) pairs; several code points sit in SPECIAL, marked by the top bit."""
    pairs = []
    for i in range(sys.maxunicode + 1):
        c = chr(i)
        # A lone capital sigma is lowered without looking at its neighbours.
        to = convert(c)
        if to == c:
            continue
        if len(to) == 1:
            pairs.append((i, ord(to)))
        else:
            pairs.append((i, 1 << 31 | len(SPECIAL) << 4 | len(to)))
            SPECIAL.extend(map(ord, to))
    print(f"pub(super) static {name}: [(u32, u32); {len(pairs)}] = [")
    for i in range(0, len(pairs), 8):
        print("    " + ", ".join(f"({a}, {b})" for a, b in pairs[i:i + 8]) + ",")
    print("];\n")


SPECIAL = []
print(f"//! Made by `tools/unicode_tables.py` from Unicode {unicodedata.unidata_version}; do not edit.\n")
print("#![cfg_attr(rustfmt, rustfmt_skip)]\n")
records, of = {}, []
for i in range(sys.maxunicode + 1):
    of.append(records.setdefault(flags(chr(i)), len(records)))
for i, f in enumerate(FLAGS):
    print(f"pub(super) const {f}: u16 = {1 << i};")
print()
numbers("FLAGS", "u16", list(records))
two_stage("FLAGS", of, "u8")
mapping("UPPER_MAP", str.upper)
mapping("LOWER_MAP", str.lower)
mapping("TITLE_MAP", str.title)
mapping("FOLD_MAP", str.casefold)
numbers("SPECIAL", "u32", SPECIAL)
starts = [i for i in range(sys.maxunicode + 1) if unicodedata.decimal(chr(i), None) == 0]
assert all(unicodedata.decimal(chr(s + d)) == d for s in starts for d in range(10))
print("/// First code points of the runs of ten decimal digits.")
numbers("DECIMAL_ZEROS", "u32", starts)
