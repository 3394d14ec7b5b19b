"""A tokenizer, a recursive-descent parser and an evaluator for arithmetic."""


class Node:
    def value(self, env):
        raise NotImplementedError


class Number(Node):
    def __init__(self, text):
        self.number = int(text)

    def value(self, env):
        return self.number


class Name(Node):
    def __init__(self, text):
        self.name = text

    def value(self, env):
        return env[self.name]


class Binary(Node):
    def __init__(self, op, left, right):
        self.op = op
        self.left = left
        self.right = right

    def value(self, env):
        left = self.left.value(env)
        right = self.right.value(env)
        if self.op == "+":
            return left + right
        if self.op == "-":
            return left - right
        if self.op == "*":
            return left * right
        return left // right if right else 0


def tokens(text):
    out = []
    i = 0
    while i < len(text):
        c = text[i]
        if c.isspace():
            i += 1
        elif c.isdigit():
            start = i
            while i < len(text) and text[i].isdigit():
                i += 1
            out.append(("number", text[start:i]))
        elif c.isalpha():
            start = i
            while i < len(text) and (text[i].isalnum() or text[i] == "_"):
                i += 1
            out.append(("name", text[start:i]))
        else:
            out.append(("op", c))
            i += 1
    out.append(("end", ""))
    return out


class Parser:
    def __init__(self, text):
        self.tokens = tokens(text)
        self.at = 0

    @property
    def kind(self):
        return self.tokens[self.at][0]

    @property
    def text(self):
        return self.tokens[self.at][1]

    def advance(self):
        text = self.text
        self.at += 1
        return text

    def expression(self):
        left = self.term()
        while self.text in ("+", "-") and self.kind == "op":
            op = self.advance()
            left = Binary(op, left, self.term())
        return left

    def term(self):
        left = self.factor()
        while self.text in ("*", "/") and self.kind == "op":
            op = self.advance()
            left = Binary(op, left, self.factor())
        return left

    def factor(self):
        if self.kind == "number":
            return Number(self.advance())
        if self.kind == "name":
            return Name(self.advance())
        self.advance()
        inside = self.expression()
        self.advance()
        return inside


SOURCES = [
    "1 + 2 * (x - 3) * width",
    "(x + 1) * (x - 1) - x * x / 7",
    "height * width - (height + width) * 2 + 1000 / (x + 1)",
    "((((x))) + 12 * 34 - 56 / 7) * height",
]


def run(inner):
    total = 0
    for i in range(inner):
        text = SOURCES[i % len(SOURCES)]
        tree = Parser(text).expression()
        env = {"x": i, "width": 5, "height": i % 9}
        for _ in range(3):
            total += tree.value(env)
            env["x"] += 1
    return total
