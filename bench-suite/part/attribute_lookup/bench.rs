//! Attribute lookup without an inline cache: in the object, in its class, in the third base, and missing.

use crate::Ready;
use crate::embed;

const SOURCE: &str = "
class A:
    far = 1
class B(A): pass
class C(B): pass
class D(C):
    near = 2
d = D()
d.own = 3
";

pub(crate) fn ready() -> Ready {
    let vm = embed::vm(&["--jit=off"]);
    let globals = embed::run(vm, "attributes", SOURCE);
    let object = embed::get(vm, globals, "d");
    let names = ["own", "near", "far"].map(|name| vm.intern(name));
    let missing = vm.intern("missing");
    Box::new(move |bencher| {
        let mut sum = 0;
        bencher.iter(|| {
            sum = 0;
            for _ in 0..100 {
                for name in names {
                    sum += match vm.getattr(object, name) {
                        Ok(value) => value.as_int().unwrap_or(0),
                        Err(_) => 0,
                    };
                }
                if vm.getattr(object, missing).is_err() {
                    vm.take_exc();
                    sum += 10;
                }
            }
        });
        sum.to_string()
    })
}
