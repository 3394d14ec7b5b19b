//! Shapes: what objects of one class with the same attributes share.
//!
//! A shape names the class, the layout, and which attribute lies in which slot.
//! Adding attribute `x` to an object moves it along the transition `x` to the
//! shape that has one slot more; objects that gained the same attributes in the
//! same order share their shape, so one compare of the header's upper half tells
//! class and attribute positions alike. Shapes lie below 4 GiB, never move and
//! are never freed; they keep their class alive.
//!
//! `tag` is a number no other shape has; it changes when the class or one of its
//! bases is mutated, so an inline cache needs one compare for both facts.
//!
//! A class whose instances gain too many attributes, or whose instance had its
//! `__dict__` asked for or an attribute deleted, puts that instance into
//! dictionary mode: the overflow word then holds a `dict` and no slots are used.

use crate::layout::{Gc, Layout, PyType};
use crate::vm::Vm;
use pyrite_machine::{Header, Kind, Value};
use rustc_hash::{FxBuildHasher, FxHashMap};

/// More attributes than this put an instance into dictionary mode.
pub const MAX_SLOTS: u32 = 80;

/// See the module's documentation.
#[repr(C)]
pub struct Shape {
    /// Unique; new after each mutation of the class.
    pub tag: u32,
    pub layout: Layout,
    pub flags: u16,
    /// The class (pinned, kept alive by the shape).
    pub class: Value,
    /// Word of inline slot 0; the word before is the overflow word.
    pub slot_base: u16,
    /// Inline slots.
    pub inline_cap: u16,
    /// Attributes.
    pub slots: u32,
    /// Kind of the instances.
    pub kind: Kind,
    parent: *mut Shape,
    /// The attribute this shape adds to its parent's (interned, pinned).
    key: Value,
    table: Option<FxHashMap<u64, u32>>,
    transitions: FxHashMap<u64, *mut Shape>,
    /// Next shape in the list of all.
    next: *mut Shape,
}

impl Shape {
    /// Instances are in dictionary mode.
    pub const DICT: u16 = 1;
    /// Instances have no attributes of their own (no overflow word).
    pub const NO_DICT: u16 = 2;

    /// The class.
    #[inline(always)]
    pub fn class(&self) -> Gc<PyType> {
        Gc::from_value(self.class)
    }

    /// True in dictionary mode.
    #[inline(always)]
    pub fn is_dict(&self) -> bool {
        self.flags & Shape::DICT != 0
    }

    /// Slot of the attribute with this interned name.
    pub fn slot_of(&mut self, name: Value) -> Option<u32> {
        if self.slots == 0 {
            return None;
        }
        if self.slots <= 6 {
            let mut s: *const Shape = self;
            // SAFETY: parents are shapes, never freed; the chain ends at a root
            // with no slots.
            unsafe {
                while (*s).slots != 0 {
                    if (*s).key == name {
                        return Some((*s).slots - 1);
                    }
                    s = (*s).parent;
                }
            }
            return None;
        }
        if self.table.is_none() {
            let mut t = FxHashMap::with_capacity_and_hasher(self.slots as usize, FxBuildHasher);
            let mut s: *const Shape = self;
            // SAFETY: as above.
            unsafe {
                while (*s).slots != 0 {
                    t.insert((*s).key.bits(), (*s).slots - 1);
                    s = (*s).parent;
                }
            }
            self.table = Some(t);
        }
        self.table
            .as_ref()
            .and_then(|t| t.get(&name.bits()).copied())
    }

    /// Attribute names in the order they were added.
    pub fn keys(&self) -> Vec<u64> {
        let mut out = Vec::with_capacity(self.slots as usize);
        let mut s: *const Shape = self;
        // SAFETY: parents are shapes, never freed.
        unsafe {
            while (*s).slots != 0 {
                out.push((*s).key.bits());
                s = (*s).parent;
            }
        }
        out.reverse();
        out
    }

    /// Address as the header holds it.
    #[inline(always)]
    pub fn id(&self) -> u32 {
        std::ptr::from_ref(self) as u64 as u32
    }
}

/// The shape in an object's header.
#[inline(always)]
pub fn shape_of(v: Value) -> &'static mut Shape {
    // SAFETY: every heap object's header holds the address of a shape, and
    // shapes are never freed. The mutable borrow is short in every caller, and
    // one thread at a time holds the VM.
    unsafe { &mut *(Header::shape(*v.ptr()) as usize as *mut Shape) }
}

/// Puts `shape` into the object's header.
#[inline(always)]
pub fn set_shape(v: Value, shape: u32) {
    // SAFETY: `v` is a live object; only the upper half of its header changes.
    unsafe {
        *v.ptr() = *v.ptr() & 0xFFFF_FFFF | (shape as u64) << Header::SHAPE_SHIFT;
    }
}

impl Vm {
    /// A new root shape: no attributes yet.
    pub fn new_root_shape(
        &mut self,
        class: Gc<PyType>,
        layout: Layout,
        kind: Kind,
        slot_base: u16,
        inline_cap: u16,
        flags: u16,
    ) -> *mut Shape {
        self.make_shape(Shape {
            tag: 0,
            layout,
            flags,
            class: class.value(),
            slot_base,
            inline_cap,
            slots: 0,
            kind,
            parent: std::ptr::null_mut(),
            key: Value::NULL,
            table: None,
            transitions: FxHashMap::default(),
            next: std::ptr::null_mut(),
        })
    }

    fn make_shape(&mut self, mut shape: Shape) -> *mut Shape {
        shape.tag = self.next_shape_tag();
        shape.next = self.all_shapes;
        let p: *mut Shape = match self.heap.low_alloc(size_of::<Shape>()) {
            Some(p) => p.as_ptr().cast(),
            None => panic!("the region below 4 GiB has room for every shape"),
        };
        // SAFETY: low_alloc returns fresh memory of that size, aligned to 16.
        unsafe { p.write(shape) };
        self.all_shapes = p;
        // SAFETY: just written.
        let class = unsafe { (*p).class() };
        self.type_data(class).shapes.push(p);
        p
    }

    fn next_shape_tag(&mut self) -> u32 {
        self.shape_tags += 1;
        self.shape_tags
    }

    /// The shape reached from `from` by adding `name` (interned), or `None` if
    /// an object should go into dictionary mode instead.
    pub fn shape_add(&mut self, from: &mut Shape, name: Value) -> Option<*mut Shape> {
        if let Some(&s) = from.transitions.get(&name.bits()) {
            return Some(s);
        }
        if from.slots >= MAX_SLOTS || from.transitions.len() > 250 {
            return None;
        }
        self.heap_pin(name);
        let child = self.make_shape(Shape {
            tag: 0,
            slots: from.slots + 1,
            parent: from,
            key: name,
            table: None,
            transitions: FxHashMap::default(),
            next: std::ptr::null_mut(),
            ..*from
        });
        from.transitions.insert(name.bits(), child);
        Some(child)
    }

    /// Every shape, for root scanning.
    pub fn for_each_shape(&self, mut f: impl FnMut(&mut Shape)) {
        let mut p = self.all_shapes;
        // SAFETY: the list holds shapes, never freed.
        unsafe {
            while !p.is_null() {
                f(&mut *p);
                p = (*p).next;
            }
        }
    }
}

impl Shape {
    /// The words of a shape that hold references.
    pub fn roots(&mut self) -> [&mut Value; 2] {
        [&mut self.class, &mut self.key]
    }
}
