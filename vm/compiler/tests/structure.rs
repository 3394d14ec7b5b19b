//! Tricky points of the generated code, on its disassembly.

mod verify;

use pyrite_bytecode::{CodeUnit, Const, disassemble};
use pyrite_compiler::{ErrorKind, Mode, Options, compile};

fn unit(text: &str) -> CodeUnit {
    let u = compile(
        text,
        "t.py",
        Mode::Exec,
        Options::default(),
        &mut Vec::new(),
    )
    .expect("a good program");
    verify::verify(&u);
    u
}

/// Code of the first function among the constants, without its header line.
fn function(text: &str) -> String {
    let u = unit(text);
    let inner = u.consts.iter().find_map(|c| match c {
        Const::Code(u) => Some(u),
        _ => None,
    });
    let text = disassemble(inner.expect("a function"));
    let lines = text.lines().skip(1).filter(|l| !l.is_empty());
    lines
        .map(|l| l[5..].split_whitespace().collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join("\n")
}

fn nested(text: &str) -> CodeUnit {
    match unit(text)
        .consts
        .iter()
        .find(|c| matches!(c, Const::Code(_)))
    {
        Some(Const::Code(u)) => (**u).clone(),
        _ => panic!("no function in {text}"),
    }
}

#[test]
fn arithmetic_on_locals_needs_no_moves() {
    assert_eq!(
        function("def f(x):\n  y = x + 1\n  return y * x"),
        "0 ADDK r1 r0 k1(1)\n1 MUL r2 r1 r0\n2 RETURN r2"
    );
}

#[test]
fn parallel_assignment_keeps_order() {
    assert_eq!(
        function("def f(a, b):\n  a, b = b, a + b\n  return a"),
        "0 MOVE r2 r1\n1 ADD r1 r0 r1\n2 MOVE r0 r2\n3 RETURN r0"
    );
}

#[test]
fn a_walrus_cannot_change_an_operand_already_read() {
    let code = function("def f(x):\n  return x + (x := 2)");
    assert!(code.starts_with("0 MOVE r1 r0"), "{code}");
}

#[test]
fn an_exception_in_the_middle_leaves_the_local_alone() {
    // `x = a or b` must not write x before b is known to succeed.
    let code = function("def f(x, a):\n  x = a or g()\n  return x");
    assert!(code.contains("0 MOVE r2 r1"), "{code}");
    assert!(code.contains("MOVE r0 r2"), "{code}");
}

#[test]
fn only_locals_that_may_be_unset_are_checked() {
    let sure = function("def f(c):\n  if c:\n    x = 1\n  else:\n    x = 2\n  return x");
    assert!(!sure.contains("CHECK_BOUND"), "{sure}");
    let unsure = function("def f(c):\n  if c:\n    x = 1\n  return x");
    assert!(unsure.contains("CHECK_BOUND r1"), "{unsure}");
    let deleted = function("def f():\n  x = 1\n  del x\n  return x");
    assert!(deleted.contains("CHECK_BOUND r0"), "{deleted}");
    let endless = function("def f():\n  while True:\n    x = 1\n    if g(): break\n  return x");
    assert!(!endless.contains("CHECK_BOUND"), "{endless}");
    let handler = function("def f():\n  try:\n    x = g()\n  except E:\n    pass\n  return x");
    assert!(handler.contains("CHECK_BOUND r0"), "{handler}");
}

#[test]
fn loops_close_with_their_header() {
    let u = nested(
        "def f(n):\n  while n > 0:\n    n -= 1\n  for i in n:\n    if i: continue\n    g(i)",
    );
    assert_eq!(u.loops.len(), 2);
    let text = disassemble(&u);
    assert_eq!(text.matches("LOOP").count(), 3, "{text}");
}

#[test]
fn method_calls_and_super_make_no_bound_objects() {
    let code = function("def f(a):\n  return a.b(1, c=2)");
    assert!(
        code.contains("LOAD_METHOD") && code.contains("CALL_METHOD_KW"),
        "{code}"
    );
    let class = "class A(B):\n  def m(self):\n    super().m()\n    return super().x";
    let text = disassemble(&unit(class));
    assert!(
        text.contains("LOAD_SUPER_METHOD") && text.contains("LOAD_SUPER_ATTR"),
        "{text}"
    );
    let rebound = disassemble(&unit(&format!("super = 1\n{class}")));
    assert!(!rebound.contains("LOAD_SUPER"), "{rebound}");
}

#[test]
fn a_return_value_survives_finally() {
    let code = function("def f(x):\n  try:\n    return x\n  finally:\n    x = 2");
    assert!(code.contains("MOVE r2 r0"), "{code}");
    assert!(code.contains("RETURN r2"), "{code}");
}

#[test]
fn finally_is_not_protected_by_itself() {
    let u = nested("def f():\n  try:\n    return g()\n  finally:\n    h()");
    let text = disassemble(&u);
    let ret = u
        .instrs
        .iter()
        .position(|i| i.op().name() == "RETURN")
        .expect("a return");
    let entry = u
        .exceptions
        .iter()
        .find(|e| e.start == 1 || e.start == 0)
        .expect("the try");
    assert!((entry.end as usize) < ret, "{text}");
}

#[test]
fn far_compares_are_widened() {
    let body = "    a.b = 1\n".repeat(40_000);
    let u = nested(&format!("def f(a):\n  if a < 1:\n{body}  return a"));
    assert_eq!(u.instrs[1].op().name(), "JLT");
    assert_eq!(u.instrs[1].s16(), 1);
    assert_eq!(u.instrs[2].op().name(), "JUMP");
}

#[test]
fn class_cells_and_attribute_hints() {
    let u = nested(
        "class A:\n  def f(self):\n    self.a = self.b = 1\n    self.a += 1\n    x.c = 2\n    return __class__",
    );
    assert_eq!(u.attr_hint, 2);
    assert_eq!(u.cellvars, vec![("__class__".to_owned(), 1)]);
}

#[test]
fn lone_surrogates_are_kept() {
    let u = unit("x = 'a\\ud800\\n\u{fffd}\\N{BULLET}'");
    let want: Vec<u32> = vec![0x61, 0xd800, 0x0a, 0xfffd, 0x2022];
    assert!(u.consts.contains(&Const::Str(want)), "{:?}", u.consts);
}

#[test]
fn constants_fold_as_in_cpython() {
    let value = |text: &str| unit(text).consts.last().cloned().expect("a constant");
    assert_eq!(
        value("x = 2 ** 64"),
        Const::BigInt("18446744073709551616".into())
    );
    assert_eq!(value("x = -9223372036854775808"), Const::Int(i64::MIN));
    assert_eq!(
        value("x = 0xffffffffffffffffffff"),
        Const::BigInt("1208925819614629174706175".into())
    );
    assert_eq!(value("x = True & True"), Const::True);
    assert_eq!(value("x = -0.0"), Const::Float(-0.0));
    assert_eq!(value("x = (1, 'a') + (2,) * 2"), {
        let a = Const::Str(vec![97]);
        Const::Tuple(vec![Const::Int(1), a, Const::Int(2), Const::Int(2)])
    });
    assert_eq!(
        value("x = y in [1, 2]"),
        Const::Tuple(vec![Const::Int(1), Const::Int(2)])
    );
}

#[test]
fn deep_nesting_is_an_error_not_a_crash() {
    let refused = |text: String| {
        compile(
            &text,
            "t.py",
            Mode::Exec,
            Options::default(),
            &mut Vec::new(),
        )
        .expect_err("too deep")
    };
    for n in [300, 100_000] {
        let e = refused(format!("{}{}", "(".repeat(n), ")".repeat(n)));
        assert_eq!(e.msg, "too many nested parentheses");
    }
    assert_eq!(
        refused(format!("x = {}1", "-".repeat(100_000))).kind,
        ErrorKind::Recursion
    );
    assert_eq!(
        refused(format!("x = 1{}", "+a".repeat(100_000))).kind,
        ErrorKind::Recursion
    );
    assert_eq!(
        refused(format!("x{}", ".y".repeat(100_000))).kind,
        ErrorKind::Recursion
    );
    assert_eq!(
        refused(format!("x{}", "()".repeat(100_000))).kind,
        ErrorKind::Recursion
    );
    assert_eq!(
        refused(format!("x = {}1", "lambda: ".repeat(20_000))).kind,
        ErrorKind::Recursion
    );
    let mut blocks = String::new();
    for i in 0..120 {
        blocks.push_str(&format!("{}if x:\n", " ".repeat(i)));
    }
    let e = refused(format!("{blocks}{}pass", " ".repeat(120)));
    assert_eq!(
        (e.kind, e.msg.as_str()),
        (ErrorKind::Indentation, "too many levels of indentation")
    );
    let mut loops = String::new();
    for i in 0..21 {
        loops.push_str(&format!("{}while x:\n", " ".repeat(i)));
    }
    let e = refused(format!("{loops}{}pass", " ".repeat(21)));
    assert_eq!(e.msg, "too many statically nested blocks");
    let fine = format!("x = 1{}", " + a".repeat(900));
    unit(&fine);
}

#[test]
fn interactive_expressions_are_printed() {
    let u = compile(
        "1 + x",
        "t.py",
        Mode::Single,
        Options::default(),
        &mut Vec::new(),
    )
    .expect("an expression");
    assert!(disassemble(&u).contains("PRINT_EXPR"));
    let e = compile(
        "x = 1",
        "t.py",
        Mode::Eval,
        Options::default(),
        &mut Vec::new(),
    )
    .expect_err("no expression");
    assert_eq!(e.msg, "invalid syntax");
}

#[test]
fn future_annotations_become_text() {
    let text = "from __future__ import annotations\ndef f(a: List [ 'int' ], *b: (x  if y else-z) | None) -> f'{q!r}': pass";
    let u = unit(text);
    let all: Vec<String> = u
        .consts
        .iter()
        .filter_map(|c| match c {
            Const::Str(s) => Some(s.iter().filter_map(|&c| char::from_u32(c)).collect()),
            _ => None,
        })
        .collect();
    for want in ["List['int']", "(x if y else -z) | None", "f'{q!r}'"] {
        assert!(all.iter().any(|s| s == want), "{want} in {all:?}");
    }
}
