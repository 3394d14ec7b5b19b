//! What a proxy does: the same to the object it stands for.
//!
//! Every operand that is a proxy is replaced by its object first; if that is
//! gone, the operation raises ReferenceError.

use super::weak;
use crate::slots;
use pyrite_bytecode::CmpOp;
use pyrite_machine::Value;
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::ops::BinOp;
use pyrite_objects::vm::{R, Vm};

const ANY: u8 = effects::ANY;
const ONE: &str = "($self, /)";
const TWO: &str = "($self, value, /)";

/// The object behind a proxy; other values as they are.
fn open(vm: &mut Vm, v: Value) -> R {
    let class = vm.class_of(v).value();
    if class != vm.statics[slots::WEAK_PROXY] && class != vm.statics[slots::WEAK_CALLABLE_PROXY] {
        return Ok(v);
    }
    let r = weak(v).referent.get();
    if r.is_null() {
        return Err(vm.reference_error("weakly-referenced object no longer exists"));
    }
    Ok(r)
}

fn binary(vm: &mut Vm, op: BinOp, a: Value, b: Value, inplace: bool) -> R {
    let (a, b) = (open(vm, a)?, open(vm, b)?);
    vm.binary(op, a, b, inplace)
}

fn compare(vm: &mut Vm, op: CmpOp, a: &[Value]) -> R {
    let (x, y) = (open(vm, a[0])?, open(vm, a[1])?);
    vm.compare(op, x, y)
}

/// Calls a method of the object by name.
fn special(vm: &mut Vm, a: &[Value], name: &str, missing: &str) -> R {
    let this = open(vm, a[0])?;
    let name = vm.intern(name);
    match vm.call_special(this, name, &a[1..])? {
        Some(v) => Ok(v),
        None => {
            let m = missing.replace("{}", &vm.class_name(this));
            Err(vm.type_error(&m))
        }
    }
}

/// `__name__`, `__rname__` and `__iname__` of an operator.
macro_rules! operator {
    ($name:literal, $rname:literal, $iname:literal, $op:ident) => {
        [
            def($name, TWO, ANY, |vm, a| {
                binary(vm, BinOp::$op, a[0], a[1], false)
            }),
            def($rname, TWO, ANY, |vm, a| {
                binary(vm, BinOp::$op, a[1], a[0], false)
            }),
            def($iname, TWO, ANY, |vm, a| {
                binary(vm, BinOp::$op, a[0], a[1], true)
            }),
        ]
    };
}

macro_rules! flat {
    ($($group:expr),* $(,)?) => {{
        const GROUPS: &[[NativeDef; 3]] = &[$($group),*];
        const EMPTY: NativeDef = def("", "()", 0, |vm, _| Ok(vm.none));
        let mut out = [EMPTY; GROUPS.len() * 3];
        let mut i = 0;
        while i < out.len() {
            let d = &GROUPS[i / 3][i % 3];
            out[i] = def(d.name, d.signature, d.effects, d.func);
            i += 1;
        }
        out
    }};
}

static OPERATORS: [NativeDef; 39] = flat![
    operator!("__add__", "__radd__", "__iadd__", Add),
    operator!("__sub__", "__rsub__", "__isub__", Sub),
    operator!("__mul__", "__rmul__", "__imul__", Mul),
    operator!("__truediv__", "__rtruediv__", "__itruediv__", TrueDiv),
    operator!("__floordiv__", "__rfloordiv__", "__ifloordiv__", FloorDiv),
    operator!("__mod__", "__rmod__", "__imod__", Mod),
    operator!("__pow__", "__rpow__", "__ipow__", Pow),
    operator!("__matmul__", "__rmatmul__", "__imatmul__", MatMul),
    operator!("__lshift__", "__rlshift__", "__ilshift__", LShift),
    operator!("__rshift__", "__rrshift__", "__irshift__", RShift),
    operator!("__and__", "__rand__", "__iand__", And),
    operator!("__xor__", "__rxor__", "__ixor__", Xor),
    operator!("__or__", "__ror__", "__ior__", Or),
];

static OTHERS: &[NativeDef] = &[
    def("__lt__", TWO, ANY, |vm, a| compare(vm, CmpOp::Lt, a)),
    def("__le__", TWO, ANY, |vm, a| compare(vm, CmpOp::Le, a)),
    def("__eq__", TWO, ANY, |vm, a| compare(vm, CmpOp::Eq, a)),
    def("__ne__", TWO, ANY, |vm, a| compare(vm, CmpOp::Ne, a)),
    def("__gt__", TWO, ANY, |vm, a| compare(vm, CmpOp::Gt, a)),
    def("__ge__", TWO, ANY, |vm, a| compare(vm, CmpOp::Ge, a)),
    def("__divmod__", TWO, ANY, |vm, a| divmod(vm, a[0], a[1])),
    def("__rdivmod__", TWO, ANY, |vm, a| divmod(vm, a[1], a[0])),
    def("__neg__", ONE, ANY, |vm, a| {
        let v = open(vm, a[0])?;
        vm.unary(vm.names.neg, "unary -", v)
    }),
    def("__pos__", ONE, ANY, |vm, a| {
        let v = open(vm, a[0])?;
        vm.unary(vm.names.pos, "unary +", v)
    }),
    def("__invert__", ONE, ANY, |vm, a| {
        let v = open(vm, a[0])?;
        vm.unary(vm.names.invert, "unary ~", v)
    }),
    def("__abs__", ONE, ANY, |vm, a| {
        special(vm, a, "__abs__", "bad operand type for abs(): '{}'")
    }),
    def("__bool__", ONE, ANY, |vm, a| {
        let v = open(vm, a[0])?;
        let t = vm.truth(v)?;
        Ok(vm.bool(t))
    }),
    def("__int__", ONE, ANY, |vm, a| {
        let v = open(vm, a[0])?;
        vm.call(vm.types.int.value(), &[v])
    }),
    def("__float__", ONE, ANY, |vm, a| {
        let v = open(vm, a[0])?;
        vm.call(vm.types.float.value(), &[v])
    }),
    def("__index__", ONE, ANY, |vm, a| {
        let v = open(vm, a[0])?;
        vm.index(v)
    }),
    def("__len__", ONE, ANY, |vm, a| {
        let v = open(vm, a[0])?;
        let n = vm.len(v)?;
        Ok(vm.new_int(n as i64))
    }),
    def("__getitem__", TWO, ANY, |vm, a| {
        let (v, i) = (open(vm, a[0])?, open(vm, a[1])?);
        vm.getitem(v, i)
    }),
    def("__setitem__", "($self, key, value, /)", ANY, |vm, a| {
        let v = open(vm, a[0])?;
        vm.setitem(v, a[1], a[2])?;
        Ok(vm.none)
    }),
    def("__delitem__", TWO, ANY, |vm, a| {
        let v = open(vm, a[0])?;
        vm.delitem(v, a[1])?;
        Ok(vm.none)
    }),
    def("__contains__", TWO, ANY, |vm, a| {
        let v = open(vm, a[0])?;
        let t = vm.contains(v, a[1])?;
        Ok(vm.bool(t))
    }),
    def("__iter__", ONE, ANY, |vm, a| {
        let v = open(vm, a[0])?;
        vm.get_iter(v)
    }),
    def("__next__", ONE, ANY, |vm, a| {
        special(
            vm,
            a,
            "__next__",
            "Weakref proxy referenced a non-iterator '{}' object",
        )
    }),
    def("__bytes__", ONE, ANY, |vm, a| {
        let v = open(vm, a[0])?;
        let f = vm.getattr_str(v, "__bytes__")?;
        vm.call(f, &[])
    }),
    def("__reversed__", ONE, ANY, |vm, a| {
        let v = open(vm, a[0])?;
        let f = vm.getattr_str(v, "__reversed__")?;
        vm.call(f, &[])
    }),
    def("__str__", ONE, ANY, |vm, a| {
        let v = open(vm, a[0])?;
        vm.str(v)
    }),
    def("__repr__", ONE, ANY, |vm, a| {
        let at = vm.id(a[0]);
        let r = weak(a[0]).referent.get();
        let (name, to) = if r.is_null() {
            ("NoneType".to_owned(), vm.id(vm.none))
        } else {
            (vm.class_name(r), vm.id(r))
        };
        Ok(vm.new_str(&format!("<weakproxy at {at:#x} to {name} at {to:#x}>")))
    }),
    def("__getattribute__", "($self, name, /)", ANY, |vm, a| {
        let (v, name) = (open(vm, a[0])?, vm.attr_name(a[1])?);
        vm.getattr(v, name)
    }),
    def("__setattr__", "($self, name, value, /)", ANY, |vm, a| {
        let (v, name) = (open(vm, a[0])?, vm.attr_name(a[1])?);
        vm.setattr(v, name, a[2])?;
        Ok(vm.none)
    }),
    def("__delattr__", "($self, name, /)", ANY, |vm, a| {
        let (v, name) = (open(vm, a[0])?, vm.attr_name(a[1])?);
        vm.setattr(v, name, Value::NULL)?;
        Ok(vm.none)
    }),
];

/// Of proxies whose object can be called.
pub(super) static CALL: &[NativeDef] = &[def(
    "__call__",
    "($self, /, *args, **kwargs)",
    ANY,
    |vm, a| {
        let v = open(vm, a[0])?;
        vm.call_dict(v, vm.tuple_items(a[1]), a[2])
    },
)];

/// The methods of all proxies.
pub(super) static METHODS: &[&[NativeDef]] = &[&OPERATORS, OTHERS];

fn divmod(vm: &mut Vm, a: Value, b: Value) -> R {
    let (a, b) = (open(vm, a)?, open(vm, b)?);
    let name = vm.intern("divmod");
    let f = vm.dict_get_str(vm.builtins, name);
    vm.call(f, &[a, b])
}
