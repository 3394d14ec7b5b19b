//! Objects with attributes, for languages that want such: a fixed number of slots, and a tree of
//! shapes that says which attribute lies in which.
//!
//! A shape is a number, and stands for a list of names in the order of their slots. Who adds the
//! attribute `y` to an object of the shape `[x]` gives it the shape `[x, y]`, which is made once:
//! so equally built objects have one shape, and one guard on it tells where all of them are.

use pyrite_gc::{KindInfo, Tracer};
use pyrite_machine::{Field, header_word};

/// The second kind of a language that has such objects.
pub const OBJECT_KIND: KindInfo = KindInfo::traced("object", trace);
/// Attributes an object can have, and words it takes.
pub const SLOTS: usize = 5;
pub const OBJECT_WORDS: usize = 1 + SLOTS;
/// Header of an object without attributes.
pub const OBJECT: u64 = header_word(1, OBJECT_WORDS, FIRST);

/// The shape without names; those with follow.
const FIRST: u32 = 16;
/// The alias class of slots.
const CLASS: u8 = 8;

unsafe fn trace(p: *mut u64, t: &mut Tracer) {
    // SAFETY: the collector calls this on objects, whose slots lie behind the header.
    unsafe { t.range(p.add(1).cast(), p.add(OBJECT_WORDS).cast()) }
}

/// The tree of shapes; attributes' names are numbers of the language's choice.
#[derive(Clone, Debug)]
pub struct Shapes(Vec<Vec<usize>>);

impl Default for Shapes {
    fn default() -> Shapes {
        Shapes(vec![Vec::new()])
    }
}

impl Shapes {
    /// Where objects of this shape have the attribute. `None`: they have not, or are no objects.
    pub fn find(&self, shape: u32, name: usize) -> Option<Field> {
        let n = self.names(shape)?.iter().position(|n| *n == name)?;
        Some(Field::word(1 + n, CLASS))
    }

    /// The same for an object that is about to get the attribute, and its shape from then on.
    /// `None`: it has no slot left, or is no object.
    pub fn find_or_add(&mut self, shape: u32, name: usize) -> Option<(Field, u32)> {
        if let Some(field) = self.find(shape, name) {
            return Some((field, shape));
        }
        let longer = [self.names(shape)?, &[name]].concat();
        if longer.len() > SLOTS {
            return None;
        }
        let field = Field::word(longer.len(), CLASS);
        let at = self.0.iter().position(|names| *names == longer);
        let at = at.unwrap_or_else(|| {
            self.0.push(longer);
            self.0.len() - 1
        });
        Some((field, FIRST + at as u32))
    }

    fn names(&self, shape: u32) -> Option<&[usize]> {
        let at = shape.checked_sub(FIRST)? as usize;
        self.0.get(at).map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pyrite_machine::Header;

    const EMPTY: u32 = Header::shape(OBJECT);

    #[test]
    fn objects_built_alike_share_a_shape() {
        let mut shapes = Shapes::default();
        let (x, one) = shapes.find_or_add(EMPTY, 7).expect("room");
        let (y, two) = shapes.find_or_add(one, 9).expect("room");
        assert_eq!((x.offset, y.offset), (8, 16));
        assert_eq!(shapes.find_or_add(EMPTY, 7), Some((x, one)));
        assert_eq!(shapes.find_or_add(two, 7), Some((x, two)));
        assert_eq!(shapes.find(two, 9), Some(y));
        // The other order is another shape.
        let (_, other) = shapes.find_or_add(EMPTY, 9).expect("room");
        assert_ne!(shapes.find_or_add(other, 7).expect("room").1, two);
    }

    #[test]
    fn what_is_no_object_has_no_attributes() {
        let mut shapes = Shapes::default();
        assert_eq!(shapes.find(crate::INT_SHAPE, 7), None);
        assert_eq!(shapes.find_or_add(0, 7), None);
        assert_eq!(shapes.find(EMPTY, 7), None);
    }

    #[test]
    fn slots_end() {
        let mut shapes = Shapes::default();
        let full = (0..SLOTS).fold(EMPTY, |s, name| {
            shapes.find_or_add(s, name).expect("room").1
        });
        assert_eq!(shapes.find_or_add(full, SLOTS), None);
        assert!(shapes.find_or_add(full, 0).is_some());
    }
}
