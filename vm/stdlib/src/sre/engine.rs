//! The matcher: runs a translated program over a subject, backtracking on a
//! stack of its own.
//!
//! Every decision that may be taken back leaves an [`Entry`]: a place to go on
//! from ([`Kind::Choice`], the two one-character repeats), or a change to undo
//! on the way back (a mark, a repeat's counter). Failing pops entries until a
//! place is found. `a|b` at `c`: the choice "at `b`, position 0" is pushed, `a`
//! fails, the choice is popped, `b` fails, the stack is empty: no match.
//!
//! Groups that must not be re-entered (atomic groups, look-around, possessive
//! repeats) remember the stack's height and, when done, drop the places above it
//! but keep the changes, since an outer failure must still undo them.
//!
//! Invariants: nothing here recurses, so patterns and subjects of any size need
//! no native stack; a run stops every few thousand failures with
//! [`Status::Poll`] and goes on when called again; the subject is only read
//! through [`Subject`], whose positions are checked.

use super::chars;
use super::program::{MAXREPEAT, head, in_set, op};

/// A sequence of characters.
pub(super) trait Subject: Copy {
    fn len(self) -> usize;
    fn at(self, i: usize) -> u32;
    /// First place in `from..to` with this character.
    fn find(self, c: u32, from: usize, to: usize) -> Option<usize>;
}

impl Subject for &[u8] {
    #[inline(always)]
    fn len(self) -> usize {
        <[u8]>::len(self)
    }
    #[inline(always)]
    fn at(self, i: usize) -> u32 {
        self[i].into()
    }
    fn find(self, c: u32, from: usize, to: usize) -> Option<usize> {
        let c = u8::try_from(c).ok()?;
        memchr::memchr(c, &self[from..to]).map(|i| from + i)
    }
}

impl Subject for &[u16] {
    #[inline(always)]
    fn len(self) -> usize {
        <[u16]>::len(self)
    }
    #[inline(always)]
    fn at(self, i: usize) -> u32 {
        self[i].into()
    }
    fn find(self, c: u32, from: usize, to: usize) -> Option<usize> {
        let c = u16::try_from(c).ok()?;
        self[from..to]
            .iter()
            .position(|&x| x == c)
            .map(|i| from + i)
    }
}

impl Subject for &[u32] {
    #[inline(always)]
    fn len(self) -> usize {
        <[u32]>::len(self)
    }
    #[inline(always)]
    fn at(self, i: usize) -> u32 {
        self[i]
    }
    fn find(self, c: u32, from: usize, to: usize) -> Option<usize> {
        self[from..to]
            .iter()
            .position(|&x| x == c)
            .map(|i| from + i)
    }
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Status {
    /// From [`Matcher::start`] to [`Matcher::pos`].
    Match,
    NoMatch,
    /// Not ended: the caller may look whether it should go on, and call again.
    Poll,
    /// More decisions are open than may be kept.
    TooMuch,
}

/// "Not set", of a mark or position.
pub(super) const NONE: usize = usize::MAX;
const NO_REP: u32 = u32::MAX;
/// Failures between two polls.
const POLL: u32 = 0x3FFF;
/// Most entries of the stack.
const MAX_STACK: usize = 1 << 25;

#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
enum Kind {
    /// Go on at `pc` from position `a`.
    Choice,
    /// The repeat at `pc` may give back characters: positions `a..=b`.
    Greedy,
    /// The repeat at `pc`, now at `a`, may take up to `b` more.
    Lazy,
    /// Begin one more iteration of repeat `rep`, whose body is at `pc`.
    Iterate,
    /// Mark `pc` was `a`, the last group `b`.
    Mark,
    /// Repeat `rep` had count `a` and last position `b`.
    Count,
    /// Repeat `rep` began.
    Began,
}

#[derive(Clone, Copy)]
struct Entry {
    kind: Kind,
    pc: u32,
    rep: u32,
    a: usize,
    b: usize,
}

/// A repeat, atomic group or look-around in progress.
#[derive(Clone, Copy)]
struct Rep {
    /// Iterations begun.
    count: usize,
    /// Where the latest iteration began, to see that one matched nothing.
    last: usize,
    /// The stack's height at its (or its iteration's) start.
    height: usize,
    prev: u32,
}

/// A run of a program over a subject; see the module's documentation.
pub(super) struct Matcher<'a, S> {
    code: &'a [u32],
    s: S,
    end: usize,
    /// Starts and ends of groups.
    pub(super) marks: Vec<usize>,
    /// The group closed last, 0 for none.
    pub(super) last_group: u32,
    /// Where to look, then where the match starts.
    pub(super) start: usize,
    /// Where the match ends.
    pub(super) pos: usize,
    /// A match may not be empty here.
    pub(super) not_empty_at: usize,
    match_all: bool,
    stack: Vec<Entry>,
    reps: Vec<Rep>,
    pc: usize,
    rep: u32,
    running: bool,
    fails: u32,
}

impl<'a, S: Subject> Matcher<'a, S> {
    /// A matcher for `s[start..end]`; what is before `start` may be looked back at.
    pub(super) fn new(code: &'a [u32], s: S, start: usize, end: usize) -> Matcher<'a, S> {
        Matcher {
            code,
            s,
            end: end.min(s.len()),
            marks: vec![NONE; 2 * code[head::GROUPS] as usize],
            last_group: 0,
            start,
            pos: start,
            not_empty_at: NONE,
            match_all: false,
            stack: Vec::new(),
            reps: Vec::new(),
            pc: 0,
            rep: NO_REP,
            running: false,
            fails: 0,
        }
    }

    /// Span of group `i` (from 1), if it matched.
    pub(super) fn group(&self, i: usize) -> Option<(usize, usize)> {
        let (a, b) = (self.marks[2 * i - 2], self.marks[2 * i - 1]);
        (a != NONE && b != NONE).then_some((a, b))
    }

    fn begin(&mut self) {
        self.marks.fill(NONE);
        self.last_group = 0;
        self.stack.clear();
        self.reps.clear();
        self.pc = self.code[head::START] as usize;
        self.pos = self.start;
        self.rep = NO_REP;
        self.running = true;
    }

    /// Matches at `start` alone; to the very end if `all`.
    pub(super) fn match_here(&mut self, all: bool) -> Status {
        self.match_all = all;
        if !self.running {
            if self.end.saturating_sub(self.start) < self.code[head::MIN_WIDTH] as usize
                || self.start > self.end
            {
                return Status::NoMatch;
            }
            self.begin();
        }
        let st = self.run();
        self.running = st == Status::Poll;
        st
    }

    /// Looks for a match from `start` on.
    pub(super) fn search(&mut self) -> Status {
        self.match_all = false;
        loop {
            if !self.running {
                match self.candidate() {
                    Some(p) => self.start = p,
                    None => return Status::NoMatch,
                }
                self.begin();
                if self.code[head::SEARCH] == head::LITERAL {
                    self.running = false;
                    self.pos = self.start + self.code[head::TABLE_LEN] as usize;
                    return Status::Match;
                }
            }
            let st = self.run();
            self.running = st == Status::Poll;
            if st != Status::NoMatch {
                return st;
            }
            self.start += 1;
            self.fails += 1;
            if self.fails & POLL == 0 {
                return Status::Poll;
            }
        }
    }

    /// The next position from `start` on where a match may start.
    fn candidate(&self) -> Option<usize> {
        let (s, code) = (self.s, self.code);
        let last = self.end.checked_sub(code[head::MIN_WIDTH] as usize)?;
        if self.start > last {
            return None;
        }
        // What starts at the beginning starts nowhere else.
        let first = code[head::START] as usize;
        if self.start > 0 && code[first] == op::AT && matches!(code[first + 1], 0 | 2) {
            return None;
        }
        let table = code[head::TABLE] as usize;
        match code[head::SEARCH] {
            head::PREFIX | head::LITERAL => {
                let prefix = &code[table..table + code[head::TABLE_LEN] as usize];
                let mut at = self.start;
                let last = last.min(self.end.checked_sub(prefix.len())?);
                loop {
                    at = s.find(prefix[0], at, (last + 1).max(at))?;
                    if prefix.iter().enumerate().all(|(i, &c)| s.at(at + i) == c) {
                        return Some(at);
                    }
                    at += 1;
                    if at > last {
                        return None;
                    }
                }
            }
            head::CHARSET => {
                (self.start..(last + 1).min(self.end)).find(|&i| in_set(code, table, s.at(i)))
            }
            _ => Some(self.start),
        }
    }

    /// Whether a one-character operation matches `c`.
    #[inline(always)]
    fn unit(&self, unit: u32, arg: u32, c: u32) -> bool {
        match unit {
            op::ANY => c != 10,
            op::ANY_ALL => true,
            op::LIT => c == arg,
            op::NOT_LIT => c != arg,
            op::LIT_ASCII => chars::ascii_lower(c) == arg,
            op::NOT_LIT_ASCII => chars::ascii_lower(c) != arg,
            op::LIT_UNI => chars::lower(c) == arg,
            op::NOT_LIT_UNI => chars::lower(c) != arg,
            op::LIT_LOC => chars::locale_equal(arg, c),
            op::NOT_LIT_LOC => !chars::locale_equal(arg, c),
            op::IN => in_set(self.code, arg as usize, c),
            op::IN_ASCII => in_set(self.code, arg as usize, chars::ascii_lower(c)),
            op::IN_UNI => in_set(self.code, arg as usize, chars::lower(c)),
            op::IN_LOC => {
                let (lo, up) = (chars::locale_lower(c), chars::locale_upper(c));
                in_set(self.code, arg as usize, lo)
                    || up != lo && in_set(self.code, arg as usize, up)
            }
            _ => chars::category(arg, c),
        }
    }

    /// How many characters from `pos` on match the operation at `at`, at most `max`.
    fn count(&self, at: usize, pos: usize, max: u32) -> usize {
        let (unit, arg) = (self.code[at], self.code[at + 1]);
        let room = self.end - pos;
        let max = if max == MAXREPEAT {
            room
        } else {
            room.min(max as usize)
        };
        let s = self.s;
        let to = pos + max;
        let mut i = pos;
        match unit {
            op::ANY_ALL => i = to,
            op::ANY => i = s.find(10, pos, to).unwrap_or(to),
            op::LIT => {
                while i < to && s.at(i) == arg {
                    i += 1;
                }
            }
            op::NOT_LIT => i = s.find(arg, pos, to).unwrap_or(to),
            op::IN => {
                let set = arg as usize;
                while i < to && in_set(self.code, set, s.at(i)) {
                    i += 1;
                }
            }
            _ => {
                while i < to && self.unit(unit, arg, s.at(i)) {
                    i += 1;
                }
            }
        }
        i - pos
    }

    #[inline(always)]
    fn push(&mut self, kind: Kind, pc: usize, rep: u32, a: usize, b: usize) {
        self.stack.push(Entry {
            kind,
            pc: pc as u32,
            rep,
            a,
            b,
        });
    }

    fn new_rep(&mut self, prev: u32, last: usize, height: usize) -> u32 {
        let i = self.reps.len() as u32;
        self.push(Kind::Began, 0, i, 0, 0);
        self.reps.push(Rep {
            count: 0,
            last,
            height,
            prev,
        });
        i
    }

    /// Changes a repeat's counter, leaving word of the old one.
    fn set_count(&mut self, rep: u32, count: usize, last: usize) {
        let old = self.reps[rep as usize];
        self.push(Kind::Count, 0, rep, old.count, old.last);
        let r = &mut self.reps[rep as usize];
        r.count = count;
        r.last = last;
    }

    /// Drops the places to go back to above `height`, keeping what is to be undone.
    fn cut(&mut self, height: usize) {
        let mut to = height;
        for from in height..self.stack.len() {
            let e = self.stack[from];
            if matches!(e.kind, Kind::Mark | Kind::Count | Kind::Began) {
                self.stack[to] = e;
                to += 1;
            }
        }
        self.stack.truncate(to);
    }

    fn undo(&mut self, e: Entry) {
        match e.kind {
            Kind::Mark => {
                self.marks[e.pc as usize] = e.a;
                self.last_group = e.b as u32;
            }
            Kind::Count => {
                let r = &mut self.reps[e.rep as usize];
                r.count = e.a;
                r.last = e.b;
            }
            Kind::Began => self.reps.truncate(e.rep as usize),
            Kind::Choice | Kind::Greedy | Kind::Lazy | Kind::Iterate => {}
        }
    }

    /// Undoes everything above `height`.
    fn rewind(&mut self, height: usize) {
        while self.stack.len() > height {
            if let Some(e) = self.stack.pop() {
                self.undo(e);
            }
        }
    }

    /// The nearest place to go on from; false if there is none.
    #[inline]
    fn backtrack(&mut self, pc: &mut usize, pos: &mut usize, rep: &mut u32) -> bool {
        let code = self.code;
        while let Some(e) = self.stack.pop() {
            match e.kind {
                Kind::Choice => {
                    (*pc, *pos, *rep) = (e.pc as usize, e.a, e.rep);
                    return true;
                }
                Kind::Greedy => {
                    let tail = e.pc as usize + 5;
                    let mut at = e.b;
                    if code[tail] == op::LIT {
                        // Only where the next character fits is worth a try.
                        let c = code[tail + 1];
                        while at > e.a && self.s.at(at - 1) != c {
                            at -= 1;
                        }
                    }
                    if at == e.a {
                        continue;
                    }
                    at -= 1;
                    if at > e.a {
                        self.stack.push(Entry { b: at, ..e });
                    }
                    (*pc, *pos, *rep) = (tail, at, e.rep);
                    return true;
                }
                Kind::Lazy => {
                    let unit = e.pc as usize + 3;
                    if e.a < self.end && self.unit(code[unit], code[unit + 1], self.s.at(e.a)) {
                        let (a, b) = (e.a + 1, e.b - 1);
                        if b > 0 {
                            self.stack.push(Entry { a, b, ..e });
                        }
                        (*pc, *pos, *rep) = (unit + 2, a, e.rep);
                        return true;
                    }
                }
                Kind::Iterate => {
                    let count = self.reps[e.rep as usize].count;
                    self.set_count(e.rep, count + 1, e.a);
                    (*pc, *pos, *rep) = (e.pc as usize, e.a, e.rep);
                    return true;
                }
                Kind::Mark | Kind::Count | Kind::Began => self.undo(e),
            }
        }
        false
    }

    fn position(&self, which: u32, pos: usize) -> bool {
        let (s, end) = (self.s, self.end);
        let boundary = |word: fn(u32) -> bool| {
            let before = pos > 0 && word(s.at(pos - 1));
            let after = pos < end && word(s.at(pos));
            before != after
        };
        match which {
            0 | 2 => pos == 0,
            1 => pos == 0 || s.at(pos - 1) == 10,
            // In an empty subject there is neither a boundary nor none.
            3 | 4 | 8..=11 if end == 0 => false,
            3 => boundary(chars::is_word),
            4 => !boundary(chars::is_word),
            5 => pos == end || pos + 1 == end && s.at(pos) == 10,
            6 => pos == end || s.at(pos) == 10,
            7 => pos == end,
            8 => boundary(chars::is_locale_word),
            9 => !boundary(chars::is_locale_word),
            10 => boundary(chars::is_uni_word),
            _ => !boundary(chars::is_uni_word),
        }
    }

    /// Position behind a repetition of group `g` at `pos`.
    fn group_again(&self, how: u32, g: usize, pos: usize) -> Option<usize> {
        let (a, b) = self.group(g + 1)?;
        let n = b.checked_sub(a)?;
        if self.end - pos < n {
            return None;
        }
        let s = self.s;
        let same = (0..n).all(|i| {
            let (x, y) = (s.at(pos + i), s.at(a + i));
            match how {
                0 => x == y,
                1 => chars::ascii_lower(x) == chars::ascii_lower(y),
                2 => chars::lower(x) == chars::lower(y),
                _ => chars::locale_lower(x) == chars::locale_lower(y),
            }
        });
        same.then_some(pos + n)
    }

    fn run(&mut self) -> Status {
        let code = self.code;
        let s = self.s;
        let end = self.end;
        let (mut pc, mut pos, mut rep) = (self.pc, self.pos, self.rep);
        loop {
            let w = code[pc];
            let ok = match w {
                op::LIT => {
                    let ok = pos < end && s.at(pos) == code[pc + 1];
                    pos += 1;
                    pc += 2;
                    ok
                }
                op::ANY..=op::LAST_UNIT => {
                    let ok = pos < end && self.unit(w, code[pc + 1], s.at(pos));
                    pos += 1;
                    pc += 2;
                    ok
                }
                op::MARK => {
                    let m = code[pc + 1] as usize;
                    self.push(Kind::Mark, m, rep, self.marks[m], self.last_group as usize);
                    self.marks[m] = pos;
                    if m % 2 == 1 {
                        self.last_group = m as u32 / 2 + 1;
                    }
                    pc += 2;
                    true
                }
                op::ACCEPT => {
                    let refused = self.match_all && pos != end || pos == self.not_empty_at;
                    if !refused {
                        self.pos = pos;
                        return Status::Match;
                    }
                    false
                }
                op::AT => {
                    let ok = self.position(code[pc + 1], pos);
                    pc += 2;
                    ok
                }
                op::JUMP => {
                    pc = code[pc + 1] as usize;
                    true
                }
                op::ALT => {
                    let next = code[pc + 1] as usize;
                    let first = code[pc + 2];
                    pc += 2;
                    let hopeless = (op::ANY..=op::LAST_UNIT).contains(&first)
                        && (pos >= end || !self.unit(first, code[pc + 1], s.at(pos)));
                    if hopeless {
                        pc = next;
                    } else if code[next] != op::FAIL {
                        self.push(Kind::Choice, next, rep, pos, 0);
                    }
                    true
                }
                op::REP_ONE => {
                    let (min, max) = (code[pc + 1] as usize, code[pc + 2]);
                    if end - pos < min {
                        false
                    } else {
                        let n = self.count(pc + 3, pos, max);
                        if n < min {
                            false
                        } else {
                            if n > min {
                                self.push(Kind::Greedy, pc, rep, pos + min, pos + n);
                            }
                            pos += n;
                            pc += 5;
                            true
                        }
                    }
                }
                op::MIN_ONE => {
                    let (min, max) = (code[pc + 1], code[pc + 2]);
                    let n = if min == 0 {
                        0
                    } else {
                        self.count(pc + 3, pos, min)
                    };
                    if n < min as usize {
                        false
                    } else {
                        pos += n;
                        let more = if max == MAXREPEAT {
                            usize::MAX
                        } else {
                            (max - min) as usize
                        };
                        if more > 0 {
                            self.push(Kind::Lazy, pc, rep, pos, more);
                        }
                        pc += 5;
                        true
                    }
                }
                op::POSS_ONE => {
                    let n = self.count(pc + 3, pos, code[pc + 2]);
                    let ok = n >= code[pc + 1] as usize;
                    pos += n;
                    pc += 5;
                    ok
                }
                op::REPEAT => {
                    let until = code[pc + 1] as usize;
                    rep = self.new_rep(rep, NONE, 0);
                    self.until(until, &mut pc, pos, &mut rep);
                    true
                }
                op::MAX_UNTIL | op::MIN_UNTIL => {
                    self.until(pc, &mut pc, pos, &mut rep);
                    true
                }
                op::GROUPREF => match self.group_again(code[pc + 1], code[pc + 2] as usize, pos) {
                    Some(p) => {
                        pos = p;
                        pc += 3;
                        true
                    }
                    None => false,
                },
                op::GROUP_IF => {
                    let g = code[pc + 1] as usize;
                    pc = match self.group(g + 1) {
                        Some((a, b)) if a <= b => pc + 3,
                        _ => code[pc + 2] as usize,
                    };
                    true
                }
                op::ASSERT => {
                    let back = code[pc + 1] as usize;
                    if pos < back {
                        false
                    } else {
                        rep = self.new_rep(rep, pos, self.stack.len() + 1);
                        pos -= back;
                        pc += 2;
                        true
                    }
                }
                op::ASSERT_END => {
                    let r = self.reps[rep as usize];
                    self.cut(r.height);
                    pos = r.last;
                    rep = r.prev;
                    pc += 1;
                    true
                }
                op::ASSERT_NOT => {
                    let (back, behind) = (code[pc + 1] as usize, code[pc + 2] as usize);
                    if pos < back {
                        pc = behind;
                    } else {
                        let height = self.stack.len();
                        self.push(Kind::Choice, behind, rep, pos, 0);
                        rep = self.new_rep(rep, pos, height);
                        pos -= back;
                        pc += 3;
                    }
                    true
                }
                op::ASSERT_NOT_END => {
                    self.rewind(self.reps[rep as usize].height);
                    false
                }
                op::ATOMIC => {
                    rep = self.new_rep(rep, pos, self.stack.len() + 1);
                    pc += 1;
                    true
                }
                op::ATOMIC_END => {
                    let r = self.reps[rep as usize];
                    self.cut(r.height);
                    rep = r.prev;
                    pc += 1;
                    true
                }
                op::POSS => {
                    rep = self.new_rep(rep, NONE, 0);
                    pc += 1;
                    true
                }
                op::POSS_LOOP => {
                    let (min, max) = (code[pc + 1], code[pc + 2]);
                    let behind = code[pc + 3] as usize;
                    let r = self.reps[rep as usize];
                    if r.count < min as usize {
                        self.set_count(rep, r.count + 1, pos);
                        self.reps[rep as usize].height = self.stack.len();
                        pc += 4;
                    } else if (max == MAXREPEAT || r.count < max as usize) && r.last != pos {
                        self.set_count(rep, r.count + 1, pos);
                        self.reps[rep as usize].height = self.stack.len();
                        self.push(Kind::Choice, behind, rep, pos, 0);
                        pc += 4;
                    } else {
                        pc = behind;
                    }
                    true
                }
                op::POSS_END => {
                    self.cut(self.reps[rep as usize].height);
                    pc = code[pc + 1] as usize;
                    true
                }
                op::POSS_LEAVE => {
                    rep = self.reps[rep as usize].prev;
                    pc += 1;
                    true
                }
                _ => false,
            };
            if !ok {
                if !self.backtrack(&mut pc, &mut pos, &mut rep) {
                    return Status::NoMatch;
                }
                self.fails = self.fails.wrapping_add(1);
                if self.fails & POLL == 0 {
                    (self.pc, self.pos, self.rep) = (pc, pos, rep);
                    return Status::Poll;
                }
            } else if self.stack.len() > MAX_STACK {
                return Status::TooMuch;
            }
        }
    }

    /// Before the first and behind each iteration of a repeat, whose `UNTIL` is at
    /// `at`: goes into another one or on behind it.
    #[inline]
    fn until(&mut self, at: usize, pc: &mut usize, pos: usize, rep: &mut u32) {
        let code = self.code;
        let (body, min, max) = (code[at + 1] as usize, code[at + 2], code[at + 3]);
        let tail = at + 4;
        let r = self.reps[*rep as usize];
        if r.count < min as usize {
            self.set_count(*rep, r.count + 1, r.last);
            *pc = body;
            return;
        }
        // An iteration that matched nothing would match nothing again.
        let more = (max == MAXREPEAT || r.count < max as usize) && pos != r.last;
        if code[at] == op::MAX_UNTIL && more {
            self.push(Kind::Choice, tail, r.prev, pos, 0);
            self.set_count(*rep, r.count + 1, pos);
            *pc = body;
            return;
        }
        if more {
            self.push(Kind::Iterate, body, *rep, pos, 0);
        }
        *pc = tail;
        *rep = r.prev;
    }
}
