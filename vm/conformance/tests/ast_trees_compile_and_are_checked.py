# Trees of the ast module are checked, compiled and matched.
import _ast
def bad(t, mode="exec"):
    try:
        compile(t, "f", mode)
        print("ok")
    except Exception as e:
        print(type(e).__name__, e)
L = dict(lineno=1, col_offset=0)
N = lambda n, c=_ast.Load(): _ast.Name(n, c, **L)
bad(_ast.Module([], []))
bad(_ast.Module([_ast.Expr(N("x", _ast.Store()), **L)], []))
bad(_ast.Module([_ast.Expr(_ast.Constant([1], **L), **L)], []))
bad(_ast.Module([_ast.Expr(N("x"))], []))
bad(_ast.Module([_ast.Delete([], **L)], []))
bad(_ast.Module(3, []))
bad(_ast.Module([3], []))
bad(_ast.Module([_ast.Expr(N("None"), **L)], []))
bad(_ast.Expression(N("x")))
bad(_ast.Expression(_ast.BinOp(N("x"), _ast.Add(), **L)), "eval")
bad(_ast.Expression(_ast.BinOp(N("x"), _ast.Add(), None, **L)), "eval")
bad(_ast.Expression(_ast.BoolOp(_ast.And(), [N("x")], **L)), "eval")
bad(_ast.Expression(_ast.Compare(N("x"), [], [], **L)), "eval")
bad(_ast.Expression(_ast.Dict([N("x")], [], **L)), "eval")
bad(_ast.Expression(_ast.Name(3, _ast.Load(), **L)), "eval")
bad(_ast.Expression(_ast.Name("x", _ast.Load(), lineno="x", col_offset=0)), "eval")
bad(_ast.Module([_ast.Assign([_ast.Constant(1, **L)], N("x"), **L)], []))
bad(_ast.Module([_ast.Try([_ast.Pass(**L)], [], [], [], **L)], []))
bad(_ast.Module([_ast.ImportFrom("a", [_ast.alias("b", **L)], -1, **L)], []))
bad(_ast.Module([_ast.If(N("x"), [], [], **L)], []))
try:
    _ast.Name("a", _ast.Load(), 3)
except TypeError as e:
    print(e)
try:
    _ast.Name("a", id=3)
except TypeError as e:
    print(e)
n = _ast.Return()
print(n.value, n._fields, n._attributes, _ast.Return.__match_args__, _ast.If.__doc__, _ast.expr.__mro__)
t = compile("def f(a, b=2):\n  return a + b\nprint(f(1))", "x", "exec", 0x400)
t.body[0].body[0].value.op = _ast.Mult()
t.body[0].body[0].value.right.id = "@odd"
t.body[0].args.args[1].arg = "@odd"
exec(compile(t, "x", "exec"))
match t.body[0]:
    case _ast.FunctionDef(name=x, body=[_ast.Return(_ast.BinOp(op=o))]):
        print(x, type(o).__name__, o is _ast.Mult() , type(t.body[0].body[0].value.left.ctx).__name__)
print(eval(compile(_ast.Expression(_ast.Constant((1, -2.5, 3j, "\ud800\n'\"", b"\xff", ..., None, 10**30), **L)), "", "eval")) == (1, -2.5, 3j, "\ud800\n'\"", b"\xff", ..., None, 10**30))
s = compile('f"a{x!r:>{w}}b{{" "c" f"{y=}"', "x", "eval", 0x400).body
print([type(v).__name__ for v in s.values], s.values[2].value)
x, w, y = 1, 5, 2
print(eval(compile(_ast.Expression(s), "", "eval")))
try:
    exec(compile(_ast.Module([_ast.Expr(_ast.Name("zzz", _ast.Load(), lineno=42, col_offset=7), lineno=41, col_offset=3)], []), "ff", "exec"))
except NameError as e:
    print(e.__traceback__.tb_next.tb_lineno)
