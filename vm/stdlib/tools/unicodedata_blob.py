#!/usr/bin/env python3.11
"""Writes src/unicodedata/data.bin: the character database of the running Python.

Run with CPython 3.11 (Unicode 14). Aliases and named sequences are no part of what
`unicodedata` lists, so candidates come from files given as arguments (the Unicode
database's NameAliases.txt and NamedSequences.txt, or Perl's unicore/Name.pl), and
those that `unicodedata.lookup` knows are taken.

The file is a zlib stream of text. Each section starts with a line of its letter and
its number of lines; `unicodedata/tables.rs` says what they hold.
"""
import re
import sys
import unicodedata as u
import zlib
from pathlib import Path

ALL = range(0x110000)
old = u.ucd_3_2_0
out = []


def section(letter, lines):
    out.append(f"{letter} {len(lines)}")
    out.extend(lines)


records = {}


def record(db, c):
    r = (db.category(c), db.bidirectional(c) or "-", str(db.combining(c)), str(db.mirrored(c)), db.east_asian_width(c))
    return records.setdefault(r, len(records))


def ranges(db):
    lines, last = [], None
    for i in ALL:
        r = record(db, chr(i))
        if r != last:
            lines.append(f"{i:X} {r}")
            last = r
    return lines


def numbers(db, c):
    def show(f):
        v = f(c, None)
        return "-" if v is None else repr(v)

    return f"{show(db.numeric)} {show(db.decimal)} {show(db.digit)}"


def compositions(db):
    lines = []
    for i in ALL:
        c = chr(i)
        d = db.decomposition(c).split()
        if len(d) == 2 and not d[0].startswith("<"):
            pair = chr(int(d[0], 16)) + chr(int(d[1], 16))
            if db.normalize("NFC", pair) == c:
                lines.append(f"{d[0]} {d[1]} {i:X}")
    return lines


now, before = ranges(u), ranges(old)
section("P", [" ".join(r) for r in records])
section("R", now)
section("r", before)
section("D", [f"{i:X} {d}" for i in ALL if (d := u.decomposition(chr(i)))])
section("d", [f"{i:X} {d or '-'}" for i in ALL if (d := old.decomposition(chr(i))) != u.decomposition(chr(i))])
section("C", compositions(u))
section("c", compositions(old))
none = "- - -"
section("N", [f"{i:X} {n}" for i in ALL if (n := numbers(u, chr(i))) != none])
section("n", [f"{i:X} {n}" for i in ALL if (n := numbers(old, chr(i))) != numbers(u, chr(i))])
names, ideographs = [], []
for i in ALL:
    n = u.name(chr(i), "")
    if n == f"CJK UNIFIED IDEOGRAPH-{i:X}":
        if ideographs and ideographs[-1][1] == i - 1:
            ideographs[-1][1] = i
        else:
            ideographs.append([i, i])
    elif n and not n.startswith("HANGUL SYLLABLE "):
        names.append(f"{i:X} {n}")
section("J", [f"{a:X} {b:X}" for a, b in ideographs])
section("A", names)
extra = set()
for path in sys.argv[1:]:
    text = Path(path).read_text(errors="replace")
    for candidate in set(re.findall(r"[A-Z][A-Z0-9 -]+[A-Z0-9]", text)):
        try:
            found = u.lookup(candidate)
        except KeyError:
            continue
        if len(found) > 1 or u.name(found, "") != candidate:
            extra.add(f"{' '.join(f'{ord(c):X}' for c in found)};{candidate}")
section("S", sorted(extra))
data = zlib.compress("\n".join(out).encode() + b"\n", 9)
target = Path(__file__).parent.parent / "src" / "unicodedata" / "data.bin"
target.write_bytes(data)
print(len(data), "bytes", len(names), "names", len(extra), "aliases and sequences")
