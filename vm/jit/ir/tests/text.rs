//! The text form: parse, print, verify.

use pyrite_jit_ir::{Trace, TraceKind, parse, parse_one, verify};

const LOOP: &str = r#"trace root 1 {
  fn0 = "hash" (val, int) -> int {reads c3 c4 writes c5 raise collect call}
  v0 = slot -2
  is_int v0 @s0{pc 7 base 0 []}
  !is_flt v0 @s0
  i1 = unbox_int v0
  i2 = iadd_ovf i1, -1 @s0
  v3 = new 3, 0x500000200
  st_val v3, &5, 8, c3
  st_i64 v3, i2, 16, c4
  barrier v3, $0
  same v3, $0 @s1{pc 8 base 4 [-2: i2, 3: o0] finish 2 o1 o0 = new 2, 0x500000100 [8: o1 c3] o1 = new 3, 0x0 [8: &1.5 c3, 16: i2 i64 c4]}
  i4 = call fn0 [v3, 3] @s2{pc 9 base 0 [0: null]}
  f5 = i2f i4
  f6 = fmul f5, -0.0
  !flt f6, 1e100 @s3{pc 10 base 0 [0: f6]}
  loop
  i7 = phi i2
  i8 = isub_ovf i7, 1 @s4{pc 11 base 0 []}
  poll 24 @s4
  jump [i8]
}
"#;

#[test]
fn print_is_the_inverse_of_parse() {
    let trace = parse_one(LOOP).expect("the text is well formed");
    assert_eq!(trace.to_string(), LOOP);
    verify(&trace).expect("the trace keeps all rules");
}

#[test]
fn bridges_and_several_traces_parse() {
    let text = "trace bridge 3 of 1 exit 4 {\n  i0 = param 1 int\n  f1 = param 0 flt\n  link 1\n}\n\
                trace root 4 {\n  exit @s0{pc 0 base 0 []}\n}\n";
    let traces = parse(text).expect("the text is well formed");
    assert_eq!(
        traces.iter().map(Trace::to_string).collect::<String>(),
        text
    );
    traces
        .iter()
        .for_each(|t| verify(t).expect("the traces keep all rules"));
    assert_eq!(traces[1].kind, TraceKind::Root);
}

#[test]
fn comments_and_free_names_are_accepted() {
    let text = "; two names\ntrace root 1 { x = slot 1 ; the first\n is_ptr x @here{pc 1 base 0 []} exit @here }";
    let trace = parse_one(text).expect("the text is well formed");
    assert_eq!(
        trace.to_string(),
        "trace root 1 {\n  v0 = slot 1\n  is_ptr v0 @s0{pc 1 base 0 []}\n  exit @s0\n}\n"
    );
}

#[test]
fn parse_errors_name_the_line() {
    let error = |text| parse(text).expect_err("the text is wrong").to_string();
    assert_eq!(
        error("trace root 1 {\n  frob v0\n}"),
        "line 2: `frob` is not an op"
    );
    assert_eq!(
        error("trace root 1 {\n  is_int v9 @s0\n}"),
        "line 2: `v9` is neither defined nor a constant"
    );
    assert_eq!(
        error("trace root 1 {\n  v0 = slot x\n}"),
        "line 2: `x` is not a number of the right size"
    );
    assert_eq!(error("trace root 1 {\n"), "line 1: the text ends too early");
}

fn broken(body: &str) -> String {
    let trace =
        parse_one(&format!("trace root 1 {{\n{body}\n}}")).expect("the text is well formed");
    verify(&trace).expect_err("a rule is broken").to_string()
}

#[test]
fn verifier_names_the_broken_rule() {
    assert_eq!(
        broken("v0 = slot 0"),
        "op 0 (slot): the last op, and only that, must end the trace"
    );
    assert_eq!(
        broken("v0 = slot 0\ni1 = iadd v0, 1\nlink 1"),
        "op 1 (iadd): %0 has type val, not int"
    );
    assert_eq!(
        broken("v0 = slot 0\nis_int v0\nlink 1"),
        "op 1 (is_int): it may leave the trace, but has no snapshot"
    );
    assert_eq!(
        broken("jump []"),
        "op 0 (jump): there is more than one loop header, or a jump without one"
    );
    assert_eq!(
        broken("i0 = param 0 int\nlink 1"),
        "op 0 (param): params come first, and only in bridges"
    );
    assert_eq!(
        broken("v0 = slot 0\nv1 = ld_val v0, 12, c3\nlink 1"),
        "op 1 (ld_val): offset 12 is not aligned to the access"
    );
    assert_eq!(
        broken("loop\nf0 = phi 1.0\njump [1]"),
        "op 2 (jump): k1 has type int, not flt"
    );
    assert_eq!(
        broken("exit @s0{pc 0 base 0 [1: 1, 0: 2]}"),
        "op 0 (exit): snapshot slots are not ascending"
    );
}

#[test]
fn guard_after_effect_in_one_window_is_refused() {
    let body = |store: &str| {
        format!(
            "v0 = slot 0\nis_ptr v0 @s0{{pc 1 base 0 []}}\nv1 = new 2, 0x0\n{store}\n!same v0, v1 @s0\nlink 1"
        )
    };
    let text = |store| format!("trace root 1 {{\n{}\n}}", body(store));
    let fresh = parse_one(&text("st_val v1, null, 8, c3")).expect("well formed");
    verify(&fresh).expect("stores into an object made inside the window do not count");
    assert_eq!(
        broken(&body("st_val v0, null, 8, c3")),
        "op 4 (same): snapshot SnapshotId(0) was used before an effect and again after it"
    );
}
