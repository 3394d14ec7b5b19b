"""Writes expected.tsv: what CPython 3.11 says about the programs of bad.txt.

    python3.11 generate.py < bad.txt > expected.tsv

Programs are one a line with \\n and \\t written out; a first word `eval:` or
`single:` names another mode than exec. Columns: program, exception, line,
offset, message.
"""

import sys
import warnings

warnings.simplefilter("ignore")
for line in sys.stdin:
    line = line.rstrip("\n")
    if not line or line.startswith("## "):
        continue
    mode, text = "exec", line
    for m in ("eval", "single"):
        if line.startswith(m + ":"):
            mode, text = m, line[len(m) + 1 :]
    text = text.replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\")
    try:
        compile(text, "bad.py", mode, dont_inherit=True)
    except SyntaxError as e:
        print(line, type(e).__name__, e.lineno or 0, e.offset or 0, e.msg, sep="\t")
    else:
        sys.exit(f"CPython accepts: {line}")
