//! Functions that traces call for part of an instruction: they run no Python
//! code, do not raise, do not allocate, and see nothing of the frames, so the
//! trace keeps everything it holds in registers.

use super::machine::PyRecorder;
use crate::lang::class;
use pyrite_jit_ir::{AliasClass, CallTarget, ClassSet, Effects, OpRef, Ty};
use pyrite_machine::Value;
use pyrite_objects::vm::Vm;

extern "C" fn str_eq(vm: &mut Vm, a: u64, b: u64) -> i64 {
    i64::from(vm.str_eq(Value::from_bits(a), Value::from_bits(b)))
}

extern "C" fn str_char(vm: &mut Vm, s: u64, i: i64) -> u64 {
    vm.str_char(Value::from_bits(s), i).bits()
}

extern "C" fn contains(vm: &mut Vm, c: u64, item: u64) -> i64 {
    vm.contains_plain(Value::from_bits(c), Value::from_bits(item))
}

extern "C" fn dict_find(vm: &mut Vm, d: u64, key: u64) -> u64 {
    vm.dict_find(Value::from_bits(d), Value::from_bits(key))
        .bits()
}

extern "C" fn dict_place(vm: &mut Vm, d: u64, key: u64) -> i64 {
    vm.dict_place(Value::from_bits(d), Value::from_bits(key))
}

extern "C" fn dict_put(vm: &mut Vm, d: u64, entry: i64, v: u64) -> i64 {
    vm.dict_entry_set(Value::from_bits(d), entry as usize, Value::from_bits(v));
    0
}

/// One of this file's functions.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    StrEq,
    StrChar,
    Contains,
    DictFind,
    DictPlace,
    DictPut,
}

impl Part {
    fn target(self) -> CallTarget {
        use Ty::{Int, Val};
        let (name, addr, params, ret): (_, _, &[Ty], _) = match self {
            Part::StrEq => ("str_eq", str_eq as *const () as usize, &[Val, Val], Int),
            Part::StrChar => ("str_char", str_char as *const () as usize, &[Val, Int], Val),
            Part::Contains => ("contains", contains as *const () as usize, &[Val, Val], Int),
            Part::DictFind => (
                "dict_find",
                dict_find as *const () as usize,
                &[Val, Val],
                Val,
            ),
            Part::DictPlace => (
                "dict_place",
                dict_place as *const () as usize,
                &[Val, Val],
                Int,
            ),
            Part::DictPut => (
                "dict_put",
                dict_put as *const () as usize,
                &[Val, Int, Val],
                Int,
            ),
        };
        let (reads, writes) = match self {
            Part::StrEq | Part::StrChar => (ClassSet::NONE, ClassSet::NONE),
            Part::Contains | Part::DictFind | Part::DictPlace => (ClassSet::ALL, ClassSet::NONE),
            Part::DictPut => (ClassSet::ALL, ClassSet::of(&[AliasClass(class::DICT)])),
        };
        CallTarget {
            name: name.into(),
            addr,
            effects: Effects {
                reads,
                writes,
                may_raise: false,
                may_collect: false,
                may_call: false,
            },
            params: params.to_vec(),
            ret,
        }
    }

    /// Records a call.
    pub(super) fn call(self, m: &mut PyRecorder, args: &[OpRef]) -> OpRef {
        m.e.call(self.target(), args)
    }
}
