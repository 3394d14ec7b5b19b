# A tree compiles to the same positions as its text, also at imaginary numbers.
# needs: lib
import ast
for s in ("f(777j)", "f(1j, 2)", "f(0, -2j)", "f(1e400j)", "f(2j.imag, (3j), [4j][0])", "f(1 + 2j)"):
    text = compile(s, "<s>", "eval")
    tree = compile(ast.parse(s, mode="eval"), "<s>", "eval")
    print(s, list(text.co_positions()) == list(tree.co_positions()), text == tree)
f = lambda *a: a
print(eval(compile(ast.parse("f(2j.imag, -3j, 1e400j, 0j.real)", mode="eval"), "<s>", "eval")))
