"""Words and lines: splitting, joining, formatting, counting, searching."""

WORDS = "the quick brown fox jumps over a lazy dog while seven wizards quietly mix strong potions".split()


def lines(count):
    out = []
    state = 7
    for i in range(count):
        words = []
        for _ in range(8):
            state = (state * 1103515245 + 12345) & 0x7FFFFFFF
            words.append(WORDS[(state >> 12) % len(WORDS)])
        out.append("%d: %s" % (i, " ".join(words)))
    return out


def count_words(text):
    counts = {}
    for line in text:
        number, rest = line.split(": ", 1)
        for word in rest.split():
            if word in counts:
                counts[word] += 1
            else:
                counts[word] = 1
    return counts


def capitals(text):
    out = []
    for line in text:
        if "fox" in line and not line.endswith("dog"):
            out.append(line[:1] + line[3:].title())
        elif line.startswith("1"):
            out.append(line.upper().replace("O", "0"))
    return out


def vowels(text):
    total = 0
    for line in text:
        for c in line:
            if c in "aeiou":
                total += 1
            elif c == " ":
                total += 2
    return total


def report(counts):
    rows = []
    for word in sorted(counts):
        rows.append(f"{word:>10}|{counts[word]:5d}|{counts[word] / 7:.3f}")
    return "\n".join(rows)


def run(inner):
    text = lines(inner)
    counts = count_words(text)
    table = report(counts)
    loud = "".join(capitals(text))
    return "%d %d %d %d" % (len(table), len(loud), vowels(text), counts["fox"])
