//! A pattern at work on a `str` or some bytes: matchers of the right width, and
//! the parts of the subject that they found.

use super::engine::{Matcher, Status};
use super::pattern;
use pyrite_machine::Value;
use pyrite_objects::text::Text;
use pyrite_objects::vm::{R, Vm};

enum Width<'a> {
    One(Matcher<'a, &'a [u8]>),
    Two(Matcher<'a, &'a [u16]>),
    Four(Matcher<'a, &'a [u32]>),
}

/// A matcher over a subject.
///
/// It borrows from the pattern's program and from the subject, so whoever holds
/// it holds both objects in locals too.
pub(super) struct Search {
    m: Width<'static>,
    /// The subject as it was given.
    pub(super) string: Value,
    /// The exact `str`, or `bytes`; a copy if it was some other buffer.
    content: Value,
    is_bytes: bool,
    pub(super) pos: usize,
    pub(super) endpos: usize,
}

macro_rules! on {
    ($m:expr, $x:ident => $e:expr) => {
        match $m {
            Width::One($x) => $e,
            Width::Two($x) => $e,
            Width::Four($x) => $e,
        }
    };
}

impl Search {
    /// A search of `string[pos..endpos]` (null: all) for `pattern`.
    ///
    /// # Errors
    /// TypeError if the subject is no text, or not of the pattern's sort.
    pub(super) fn new(
        vm: &mut Vm,
        pattern: Value,
        string: Value,
        pos: Value,
        endpos: Value,
    ) -> R<Search> {
        let (content, is_bytes) = content(vm, string)?;
        match pattern::is_bytes(vm, pattern) {
            Some(true) if !is_bytes => {
                return Err(vm.type_error("cannot use a bytes pattern on a string-like object"));
            }
            Some(false) if is_bytes => {
                return Err(vm.type_error("cannot use a string pattern on a bytes-like object"));
            }
            _ => {}
        }
        let text = if is_bytes {
            Text::One(vm.bytes(content))
        } else {
            vm.text(content)
        };
        let bound = |vm: &mut Vm, v: Value, default: usize| -> R<usize> {
            if v.is_null() {
                return Ok(default);
            }
            Ok(crate::args::ssize(vm, v)?.clamp(0, text.len() as i64) as usize)
        };
        let pos = bound(vm, pos, 0)?;
        let endpos = bound(vm, endpos, text.len())?;
        let code = pattern::program(vm, pattern);
        let m = match text {
            Text::One(s) => Width::One(Matcher::new(code, s, pos, endpos)),
            Text::Two(s) => Width::Two(Matcher::new(code, s, pos, endpos)),
            Text::Four(s) => Width::Four(Matcher::new(code, s, pos, endpos)),
        };
        Ok(Search {
            m,
            string,
            content,
            is_bytes,
            pos,
            endpos,
        })
    }

    /// Runs a step until it ends; signal handlers run in between.
    fn finish(&mut self, vm: &mut Vm, step: impl Fn(&mut Width<'static>) -> Status) -> R<bool> {
        loop {
            match step(&mut self.m) {
                Status::Match => return Ok(true),
                Status::NoMatch => return Ok(false),
                Status::TooMuch => {
                    let class = vm.types.memory_error;
                    return Err(vm.raise_args(class, &[]));
                }
                Status::Poll if vm.polled() => pyrite_objects::misc::run_pending(vm)?,
                Status::Poll => {}
            }
        }
    }

    /// Looks for the next match from [`Search::start`] on.
    pub(super) fn search(&mut self, vm: &mut Vm) -> R<bool> {
        self.finish(vm, |m| on!(m, m => m.search()))
    }

    /// Matches at [`Search::start`]; up to the end if `all`.
    pub(super) fn match_here(&mut self, vm: &mut Vm, all: bool) -> R<bool> {
        self.finish(vm, |m| on!(m, m => m.match_here(all)))
    }

    /// Where the match starts, or where the next search will.
    pub(super) fn start(&self) -> usize {
        on!(&self.m, m => m.start)
    }

    /// Where the match ends.
    pub(super) fn end(&self) -> usize {
        on!(&self.m, m => m.pos)
    }

    /// Span of a group (0: the match).
    pub(super) fn group(&self, i: usize) -> Option<(usize, usize)> {
        if i == 0 {
            Some((self.start(), self.end()))
        } else {
            on!(&self.m, m => m.group(i))
        }
    }

    /// Number of the group that was closed last, 0 for none.
    pub(super) fn last_group(&self) -> u32 {
        on!(&self.m, m => m.last_group)
    }

    /// The next search starts behind this match, and must not find an empty one
    /// at its end if this one was empty.
    pub(super) fn advance(&mut self) {
        let empty = self.start() == self.end();
        self.set_start(self.end(), empty);
    }

    /// The next search starts at `start`, where a match may not be empty if
    /// `advance`.
    pub(super) fn set_start(&mut self, start: usize, advance: bool) {
        let not_empty_at = if advance { start } else { super::engine::NONE };
        on!(&mut self.m, m => {
            m.start = start;
            m.not_empty_at = not_empty_at;
        });
    }

    /// Part of the subject.
    pub(super) fn slice(&self, vm: &mut Vm, from: usize, to: usize) -> Value {
        slice(vm, self.content, self.is_bytes, from, to)
    }
}

/// A subject's exact `str` (or a copy of its bytes), and whether it is bytes.
///
/// # Errors
/// TypeError for anything else.
pub(super) fn content(vm: &mut Vm, string: Value) -> R<(Value, bool)> {
    if let Some(s) = vm.as_str(string) {
        return Ok((s, false));
    }
    if let Some(b) = vm.as_bytes(string) {
        return Ok((b, true));
    }
    if let Some(b) = vm.buffer(string) {
        let b = b.to_vec();
        return Ok((vm.new_bytes(&b), true));
    }
    let m = format!(
        "expected string or bytes-like object, got '{}'",
        vm.class_name(string)
    );
    Err(vm.type_error(&m))
}

/// Part of a subject's content.
pub(super) fn slice(vm: &mut Vm, content: Value, is_bytes: bool, from: usize, to: usize) -> Value {
    let to = to.max(from);
    if is_bytes {
        let b = vm.bytes(content);
        if from == 0 && to == b.len() {
            return content;
        }
        vm.new_bytes(&b[from..to])
    } else {
        let t = vm.text(content);
        if from == 0 && to == t.len() {
            return content;
        }
        vm.new_str_text(t.slice(from..to))
    }
}
