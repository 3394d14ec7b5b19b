//! A heap limit raises MemoryError, which a program may catch and survive.

use std::process::Command;

const PROGRAM: &str = r#"
class Node:
    def __init__(self, next): self.next, self.data = next, (1, 2)
def loop():
    kept = []
    i = 0
    while True:
        kept.append([i, (i,)])
        i += 1
def chain():
    n = None
    while True: n = Node(n)
def text():
    kept = {}
    for i in range(10 ** 9): kept[i] = "%d" % i * 10
def native(): return list(map(lambda i: [i], range(10 ** 9)))
def request(): return [0] * 4_000_000
def recursion(n=0): return [[0] * 20_000, recursion(n + 1)] if n < 900 else 0
for f in (loop, chain, text, native, request, recursion):
    for _ in range(2):
        try:
            f()
            print(f.__name__, "ended")
        except MemoryError as e:
            e = None
            print(f.__name__, "raised")
    print(sum([i for i in range(1000)]))
"#;

#[test]
fn a_full_heap_raises_and_the_program_goes_on() {
    for mode in ["off", "noopt", "opt"] {
        let out = Command::new(env!("CARGO_BIN_EXE_pyrite"))
            .args([
                &format!("--jit={mode}"),
                "--gc-limit=24000000",
                "-c",
                PROGRAM,
            ])
            .output()
            .expect("the binary was built for this test");
        let (text, err) = (
            String::from_utf8_lossy(&out.stdout),
            String::from_utf8_lossy(&out.stderr),
        );
        assert!(out.status.success(), "{mode}: {text}{err}");
        let mut want = String::new();
        for f in ["loop", "chain", "text", "native", "request", "recursion"] {
            want += &format!("{f} raised\n{f} raised\n499500\n");
        }
        assert_eq!(text, want, "{mode}: {err}");
    }
}
