//! Numbers that are integers or doubles at run time, for handlers of any dynamic
//! language: `a < b` is [`number`] of both, then [`compare`]. What a handler finds
//! out on the way is guarded in a trace.

use crate::{Cmp, Core};

/// A number taken out of its word.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Num<I, F> {
    Int(I),
    Float(F),
}

/// The number of a machine.
pub type NumOf<M> = Num<<M as Core>::I, <M as Core>::F>;

/// The number in a word; `None`: it holds none.
pub fn number<M: Core>(m: &mut M, v: M::V) -> Option<NumOf<M>> {
    let int = m.is_int(v);
    if m.branch(int) {
        return Some(Num::Int(m.unbox_int(v)));
    }
    let float = m.is_float(v);
    m.branch(float).then(|| Num::Float(m.unbox_float(v)))
}

/// The number as a double.
pub fn double<M: Core>(m: &mut M, n: NumOf<M>) -> M::F {
    match n {
        Num::Int(i) => m.int_to_float(i),
        Num::Float(f) => f,
    }
}

/// Compares as integers, or as doubles if one of them is.
pub fn compare<M: Core>(m: &mut M, how: Cmp, x: NumOf<M>, y: NumOf<M>) -> M::B {
    if let (Num::Int(x), Num::Int(y)) = (x, y) {
        return m.icmp(how, x, y);
    }
    let (x, y) = (double(m, x), double(m, y));
    m.fcmp(how, x, y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;
    use crate::plain::Plain;

    fn machine() -> Plain<()> {
        Plain {
            pc: std::ptr::null(),
            base: std::ptr::null_mut(),
            k: std::ptr::null(),
            window: std::ptr::null_mut(),
            lang: (),
        }
    }

    #[test]
    fn words_are_numbers_of_their_kind_or_none() {
        let m = &mut machine();
        assert_eq!(number(m, Value::small(-3)), Some(Num::Int(-3)));
        assert_eq!(number(m, Value::float(0.5)), Some(Num::Float(0.5)));
        assert_eq!(number(m, Value::NULL), None);
    }

    #[test]
    fn an_integer_beside_a_double_is_compared_as_one() {
        let m = &mut machine();
        assert!(compare(m, Cmp::Lt, Num::Int(1), Num::Float(1.5)));
        assert!(!compare(m, Cmp::Lt, Num::Int(2), Num::Float(1.5)));
        assert!(compare(m, Cmp::Eq, Num::Int(2), Num::Int(2)));
        assert!(!compare(m, Cmp::Le, Num::Float(f64::NAN), Num::Int(0)));
    }
}
