//! A loop's way to machine code: recorded, optimized, assembled, entered once. The function is made anew each time; what
//! its few iterations cost in the interpreter is in the figure, and little.

use crate::Ready;
use crate::embed;
use criterion::BatchSize;

const SOURCE: &str = "
class P:
    def __init__(self, x):
        self.x = x
    def step(self, i):
        self.x = (self.x * 3 + i) % 1000
        return self.x
text = '''
def loop(p):
    total = 0
    for i in range(12):
        total += p.step(i) + (i & 3)
        if total > 5000:
            total -= 4000
    return total
'''
code = compile(text, 'loop', 'exec')
def make():
    space = {'range': range}
    exec(text, space)
    return space['loop']
";

pub(crate) fn ready() -> Ready {
    let vm = embed::vm(&["--jit=opt", "--jit-threshold=2"]);
    let vm = std::cell::RefCell::new(vm);
    let (make, class) = {
        let vm = &mut *vm.borrow_mut();
        let globals = embed::run(vm, "trace", SOURCE);
        (
            embed::get(vm, globals, "make"),
            embed::get(vm, globals, "P"),
        )
    };
    Box::new(move |bencher| {
        let mut total = 0;
        bencher.iter_batched(
            || {
                let vm = &mut *vm.borrow_mut();
                let function = vm.call(make, &[]);
                let object = vm.call(class, &[pyrite_machine::Value::int_unchecked(1)]);
                match (function, object) {
                    (Ok(function), Ok(object)) => (function, object),
                    _ => panic!("making the function raised"),
                }
            },
            |(function, object)| {
                let vm = &mut *vm.borrow_mut();
                total = vm
                    .call(function, &[object])
                    .ok()
                    .and_then(|v| v.as_int())
                    .unwrap_or(-1);
            },
            BatchSize::PerIteration,
        );
        total.to_string()
    })
}
