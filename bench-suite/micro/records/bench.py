"""Dicts as records and indexes: grouping, joining, counting, updating."""


def orders(count):
    state = 99
    out = []
    for i in range(count):
        state = (state * 69069 + 1) & 0xFFFFFFFF
        out.append({
            "id": i,
            "customer": "c%d" % (state >> 8 & 63),
            "amount": state >> 16 & 255,
            "open": state & 256 == 0,
        })
    return out


def by_customer(rows):
    groups = {}
    for row in rows:
        groups.setdefault(row["customer"], []).append(row)
    return groups


def totals(groups):
    out = {}
    for name, rows in groups.items():
        total = 0
        for row in rows:
            if row["open"]:
                total += row["amount"]
            else:
                row["closed"] = True
        out[name] = total
    return out


def graph(rows):
    edges = {}
    for row in rows:
        a, b = row["amount"], row["id"] % 97
        edges.setdefault(a, set()).add(b)
        edges.setdefault(b, set()).add(a)
    return edges


def reach(edges, start):
    seen = {start}
    todo = [start]
    while todo:
        at = todo.pop()
        for other in edges.get(at, ()):
            if other not in seen:
                seen.add(other)
                todo.append(other)
    return len(seen)


def run(inner):
    rows = orders(inner)
    groups = by_customer(rows)
    sums = totals(groups)
    edges = graph(rows)
    best = max(sums, key=sums.get)
    closed = sum(1 for row in rows if row.get("closed"))
    pairs = {(row["customer"], row["open"]): row["id"] for row in rows}
    return "%s %d %d %d %d" % (best, sums[best], closed, reach(edges, 5), len(pairs))
