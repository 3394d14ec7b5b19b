//! `list.sort`: stable, few comparisons on data with order in it.
//!
//! The list is empty while it is sorted, so that code run by a comparison cannot
//! disturb the sort, only be told off afterwards. Natural runs are found (strictly
//! descending ones reversed), short ones are extended by binary insertion, and
//! neighbours are merged until one is left. Whatever a comparison raises, the
//! list has its items back, each once.
//!
//! Keys that are all words of ints, all floats or all exact strings are sorted
//! without the VM: no Python code can run then.

use crate::layout::{Array, Gc, Layout, PyList};
use crate::shape::shape_of;
use crate::vm::{R, Vm};
use pyrite_bytecode::CmpOp;
use pyrite_machine::Value;
use std::cmp::Ordering;

/// Runs shorter than this are extended by insertion.
const MIN_RUN: usize = 32;

/// Sorts a list in place; `key` is null or a callable.
///
/// # Errors
/// What comparisons and `key` raise; ValueError when they changed the list.
pub fn sort(vm: &mut Vm, list: Value, key: Value, reverse: bool) -> R<()> {
    let l = Gc::<PyList>::from_value(list);
    let n = l.len.get();
    let storage = l.items.get();
    vm.list_clear(list);
    let r = if n < 2 && key.is_null() {
        Ok(())
    } else {
        sort_storage(vm, storage, n, key, reverse)
    };
    let changed = l.items.get().is_some() || l.len.get() != 0;
    l.items.set(storage);
    l.len.set(n);
    vm.write_barrier(list);
    r?;
    if changed {
        return Err(vm.value_error("list modified during sort"));
    }
    Ok(())
}

fn sort_storage(vm: &mut Vm, storage: Value, n: usize, key: Value, reverse: bool) -> R<()> {
    if n == 0 {
        return Ok(());
    }
    let values = Gc::<Array>::from_value(storage);
    let keys = if key.is_null() {
        values
    } else {
        let keys = vm.new_array(n);
        for i in 0..n {
            let k = vm.call(key, &[values.at(i)])?;
            keys.put(vm, i, k);
        }
        keys
    };
    if reverse {
        // Reversed before and after, equal items keep their order.
        swap_ends(vm, keys, values, 0, n);
    }
    let r = match uniform(vm, keys, n) {
        Some(order) => {
            sort_without_vm(vm, keys, values, n, order);
            Ok(())
        }
        None => {
            let spare = vm.new_array(n / 2 + 1);
            let spare_values = if keys == values {
                spare
            } else {
                vm.new_array(n / 2 + 1)
            };
            Sorter {
                keys,
                values,
                spare,
                spare_values,
            }
            .run(vm, n)
        }
    };
    if reverse {
        swap_ends(vm, keys, values, 0, n);
    }
    r
}

/// Reverses items `lo..hi`.
fn swap_ends(vm: &mut Vm, keys: Gc<Array>, values: Gc<Array>, lo: usize, hi: usize) {
    let swap = |vm: &mut Vm, a: Gc<Array>| {
        let (mut i, mut j) = (lo, hi);
        while i + 1 < j {
            j -= 1;
            let (x, y) = (a.at(i), a.at(j));
            a.put(vm, i, y);
            a.put(vm, j, x);
            i += 1;
        }
    };
    swap(vm, values);
    if keys != values {
        swap(vm, keys);
    }
}

/// How keys of one built-in kind compare.
type Order = fn(&Vm, Value, Value) -> Ordering;

fn uniform(vm: &Vm, keys: Gc<Array>, n: usize) -> Option<Order> {
    let all = |f: &dyn Fn(Value) -> bool| (0..n).all(|i| f(keys.at(i)));
    let first = keys.at(0);
    if first.is_int() {
        return all(&|v| v.is_int())
            .then_some((|_, a, b| a.int_value().cmp(&b.int_value())) as Order);
    }
    if first.is_float() {
        return all(&|v| v.as_float().is_some_and(|f| !f.is_nan())).then_some(
            (|_, a, b| {
                a.float_value()
                    .partial_cmp(&b.float_value())
                    .unwrap_or(Ordering::Equal)
            }) as Order,
        );
    }
    if vm.layout_of(first) == Layout::Str {
        return all(&|v| v.is_ptr() && shape_of(v).layout == Layout::Str)
            .then_some((|vm, a, b| crate::text::compare(vm.text(a), vm.text(b))) as Order);
    }
    None
}

fn sort_without_vm(vm: &mut Vm, keys: Gc<Array>, values: Gc<Array>, n: usize, order: Order) {
    // Words only, and no allocation on the heap until they are back.
    let mut pairs: Vec<(u64, u64)> = (0..n)
        .map(|i| (keys.at(i).bits(), values.at(i).bits()))
        .collect();
    pairs.sort_by(|a, b| order(vm, Value::from_bits(a.0), Value::from_bits(b.0)));
    for (i, p) in pairs.into_iter().enumerate() {
        values.put(vm, i, Value::from_bits(p.1));
    }
}

struct Sorter {
    keys: Gc<Array>,
    values: Gc<Array>,
    spare: Gc<Array>,
    spare_values: Gc<Array>,
}

impl Sorter {
    fn run(&self, vm: &mut Vm, n: usize) -> R<()> {
        // Starts of the runs, and `n`.
        let mut starts = vec![0];
        let mut lo = 0;
        while lo < n {
            let mut hi = self.natural_run(vm, lo, n)?;
            let want = (lo + MIN_RUN).min(n);
            if hi < want {
                self.insertion(vm, lo, hi, want)?;
                hi = want;
            }
            starts.push(hi);
            lo = hi;
        }
        while starts.len() > 2 {
            let mut next = vec![0];
            for pair in starts.windows(3).step_by(2) {
                self.merge(vm, pair[0], pair[1], pair[2])?;
                next.push(pair[2]);
            }
            if starts.len() % 2 == 0 {
                next.push(n);
            }
            starts = next;
        }
        Ok(())
    }

    fn less(&self, vm: &mut Vm, a: Value, b: Value) -> R<bool> {
        if let Some(r) = vm.quick_compare(CmpOp::Lt, a, b) {
            return Ok(r);
        }
        let r = vm.compare(CmpOp::Lt, a, b)?;
        vm.truth(r)
    }

    /// End of the run that starts at `lo`; afterwards it ascends.
    fn natural_run(&self, vm: &mut Vm, lo: usize, n: usize) -> R<usize> {
        if lo + 1 >= n {
            return Ok(n);
        }
        let k = self.keys;
        let mut hi = lo + 2;
        if self.less(vm, k.at(lo + 1), k.at(lo))? {
            while hi < n && self.less(vm, k.at(hi), k.at(hi - 1))? {
                hi += 1;
            }
            swap_ends(vm, self.keys, self.values, lo, hi);
        } else {
            while hi < n && !self.less(vm, k.at(hi), k.at(hi - 1))? {
                hi += 1;
            }
        }
        Ok(hi)
    }

    /// Sorts `lo..hi`, of which `lo..sorted` is sorted already.
    fn insertion(&self, vm: &mut Vm, lo: usize, sorted: usize, hi: usize) -> R<()> {
        let same = self.keys == self.values;
        for i in sorted..hi {
            let key = self.keys.at(i);
            let (mut l, mut r) = (lo, i);
            while l < r {
                let m = (l + r) / 2;
                if self.less(vm, key, self.keys.at(m))? {
                    r = m;
                } else {
                    l = m + 1;
                }
            }
            let value = self.values.at(i);
            for (a, v) in [(self.keys, key), (self.values, value)] {
                // SAFETY: `l..=i` lies within the array.
                unsafe {
                    let p = a.slots();
                    std::ptr::copy(p.add(l), p.add(l + 1), i - l);
                }
                a.put(vm, l, v);
                if same {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Merges the sorted runs `lo..mid` and `mid..hi`.
    fn merge(&self, vm: &mut Vm, lo: usize, mid: usize, hi: usize) -> R<()> {
        let k = self.keys;
        if !self.less(vm, k.at(mid), k.at(mid - 1))? {
            return Ok(());
        }
        if mid - lo <= hi - mid {
            self.merge_low(vm, lo, mid, hi)
        } else {
            self.merge_high(vm, lo, mid, hi)
        }
    }

    fn store(&self, vm: &mut Vm, to: usize, key: Value, value: Value) {
        self.values.put(vm, to, value);
        if self.keys != self.values {
            self.keys.put(vm, to, key);
        }
    }

    fn set_aside(&self, vm: &mut Vm, from: usize, n: usize) {
        for i in 0..n {
            let (k, v) = (self.keys.at(from + i), self.values.at(from + i));
            self.spare_values.put(vm, i, v);
            if self.keys != self.values {
                self.spare.put(vm, i, k);
            }
        }
    }

    /// The left run is the shorter one: it is set aside, and merged upwards.
    fn merge_low(&self, vm: &mut Vm, lo: usize, mid: usize, hi: usize) -> R<()> {
        let n = mid - lo;
        self.set_aside(vm, lo, n);
        let (mut i, mut j, mut to) = (0, mid, lo);
        let mut r = Ok(());
        while i < n && j < hi {
            match self.less(vm, self.keys.at(j), self.spare.at(i)) {
                Ok(true) => {
                    let (k, v) = (self.keys.at(j), self.values.at(j));
                    self.store(vm, to, k, v);
                    j += 1;
                }
                Ok(false) => {
                    let (k, v) = (self.spare.at(i), self.spare_values.at(i));
                    self.store(vm, to, k, v);
                    i += 1;
                }
                Err(e) => {
                    r = Err(e);
                    break;
                }
            }
            to += 1;
        }
        // The gap is as long as what is left of the spare part, error or not.
        while i < n {
            let (k, v) = (self.spare.at(i), self.spare_values.at(i));
            self.store(vm, to, k, v);
            i += 1;
            to += 1;
        }
        r
    }

    /// The right run is the shorter one: it is set aside, and merged downwards.
    fn merge_high(&self, vm: &mut Vm, lo: usize, mid: usize, hi: usize) -> R<()> {
        let n = hi - mid;
        self.set_aside(vm, mid, n);
        let (mut i, mut j, mut to) = (mid, n, hi);
        let mut r = Ok(());
        while i > lo && j > 0 {
            match self.less(vm, self.spare.at(j - 1), self.keys.at(i - 1)) {
                Ok(true) => {
                    i -= 1;
                    let (k, v) = (self.keys.at(i), self.values.at(i));
                    self.store(vm, to - 1, k, v);
                }
                Ok(false) => {
                    j -= 1;
                    let (k, v) = (self.spare.at(j), self.spare_values.at(j));
                    self.store(vm, to - 1, k, v);
                }
                Err(e) => {
                    r = Err(e);
                    break;
                }
            }
            to -= 1;
        }
        while j > 0 {
            j -= 1;
            to -= 1;
            let (k, v) = (self.spare.at(j), self.spare_values.at(j));
            self.store(vm, to, k, v);
        }
        r
    }
}
