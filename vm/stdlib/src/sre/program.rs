//! From the code that `re._compiler` emits to the matcher's own.
//!
//! `Lib/re` hands `_sre.compile` a list of numbers in which jumps are relative,
//! character sets are little programs and an "info" block tells how to search.
//! [`translate`] checks it (an ill-formed list is an error, never a wild jump)
//! and lays it out anew: absolute addresses, one- and two-word operations, and
//! for each set a bitmap of the first 256 characters beside its program.
//!
//! `a+b` becomes `REP_ONE 1 MAX; LIT a; LIT b; ACCEPT`.
//!
//! The result is a flat list of words, so that it can lie in the collected heap.
//! Invariant: every address in it is inside it, and `ACCEPT` ends it.

use super::chars;

/// Operations of the matcher. Those up to [`op::LAST_UNIT`] take one word of
/// argument and match exactly one character.
pub(super) mod op {
    pub(crate) const FAIL: u32 = 0;
    pub(crate) const ANY: u32 = 1;
    pub(crate) const ANY_ALL: u32 = 2;
    pub(crate) const LIT: u32 = 3;
    pub(crate) const NOT_LIT: u32 = 4;
    pub(crate) const LIT_ASCII: u32 = 5;
    pub(crate) const NOT_LIT_ASCII: u32 = 6;
    pub(crate) const LIT_UNI: u32 = 7;
    pub(crate) const NOT_LIT_UNI: u32 = 8;
    pub(crate) const LIT_LOC: u32 = 9;
    pub(crate) const NOT_LIT_LOC: u32 = 10;
    pub(crate) const IN: u32 = 11;
    pub(crate) const IN_ASCII: u32 = 12;
    pub(crate) const IN_UNI: u32 = 13;
    pub(crate) const IN_LOC: u32 = 14;
    pub(crate) const CATEGORY: u32 = 15;
    pub(crate) const LAST_UNIT: u32 = CATEGORY;
    /// The pattern matched.
    pub(crate) const ACCEPT: u32 = 16;
    /// Position: which.
    pub(crate) const AT: u32 = 17;
    /// Mark: which.
    pub(crate) const MARK: u32 = 18;
    /// Address.
    pub(crate) const JUMP: u32 = 19;
    /// Address of the next alternative.
    pub(crate) const ALT: u32 = 20;
    /// Minimum, maximum, then the repeated unit.
    pub(crate) const REP_ONE: u32 = 21;
    pub(crate) const MIN_ONE: u32 = 22;
    pub(crate) const POSS_ONE: u32 = 23;
    /// Address of the `UNTIL`.
    pub(crate) const REPEAT: u32 = 24;
    /// Address of the body, minimum, maximum.
    pub(crate) const MAX_UNTIL: u32 = 25;
    pub(crate) const MIN_UNTIL: u32 = 26;
    /// How to compare (0 exactly, 1 ASCII, 2 Unicode, 3 locale), group.
    pub(crate) const GROUPREF: u32 = 27;
    /// Group, address if it did not match.
    pub(crate) const GROUP_IF: u32 = 28;
    /// How far back.
    pub(crate) const ASSERT: u32 = 29;
    pub(crate) const ASSERT_END: u32 = 30;
    /// How far back, address behind.
    pub(crate) const ASSERT_NOT: u32 = 31;
    pub(crate) const ASSERT_NOT_END: u32 = 32;
    pub(crate) const ATOMIC: u32 = 33;
    pub(crate) const ATOMIC_END: u32 = 34;
    /// Starts a possessive repeat.
    pub(crate) const POSS: u32 = 35;
    /// Minimum, maximum, address behind.
    pub(crate) const POSS_LOOP: u32 = 36;
    /// Address of the loop.
    pub(crate) const POSS_END: u32 = 37;
    /// Leaves a possessive repeat.
    pub(crate) const POSS_LEAVE: u32 = 38;
}

/// "No upper limit."
pub(super) const MAXREPEAT: u32 = u32::MAX;
/// Most groups a pattern may have.
pub(super) const MAXGROUPS: u32 = i32::MAX as u32 / 2;

/// Numbers that `Lib/re/_constants.py` gives to what it emits.
mod sre {
    pub(crate) const FAILURE: u32 = 0;
    pub(crate) const SUCCESS: u32 = 1;
    pub(crate) const ANY: u32 = 2;
    pub(crate) const ANY_ALL: u32 = 3;
    pub(crate) const ASSERT: u32 = 4;
    pub(crate) const ASSERT_NOT: u32 = 5;
    pub(crate) const AT: u32 = 6;
    pub(crate) const BRANCH: u32 = 7;
    pub(crate) const CATEGORY: u32 = 8;
    pub(crate) const CHARSET: u32 = 9;
    pub(crate) const BIGCHARSET: u32 = 10;
    pub(crate) const GROUPREF: u32 = 11;
    pub(crate) const GROUPREF_EXISTS: u32 = 12;
    pub(crate) const IN: u32 = 13;
    pub(crate) const INFO: u32 = 14;
    pub(crate) const JUMP: u32 = 15;
    pub(crate) const LITERAL: u32 = 16;
    pub(crate) const MARK: u32 = 17;
    pub(crate) const MAX_UNTIL: u32 = 18;
    pub(crate) const MIN_UNTIL: u32 = 19;
    pub(crate) const NOT_LITERAL: u32 = 20;
    pub(crate) const NEGATE: u32 = 21;
    pub(crate) const RANGE: u32 = 22;
    pub(crate) const REPEAT: u32 = 23;
    pub(crate) const REPEAT_ONE: u32 = 24;
    pub(crate) const MIN_REPEAT_ONE: u32 = 26;
    pub(crate) const ATOMIC_GROUP: u32 = 27;
    pub(crate) const POSSESSIVE_REPEAT: u32 = 28;
    pub(crate) const POSSESSIVE_REPEAT_ONE: u32 = 29;
    pub(crate) const GROUPREF_IGNORE: u32 = 30;
    pub(crate) const IN_IGNORE: u32 = 31;
    pub(crate) const LITERAL_IGNORE: u32 = 32;
    pub(crate) const NOT_LITERAL_IGNORE: u32 = 33;
    pub(crate) const GROUPREF_LOC_IGNORE: u32 = 34;
    pub(crate) const IN_LOC_IGNORE: u32 = 35;
    pub(crate) const LITERAL_LOC_IGNORE: u32 = 36;
    pub(crate) const NOT_LITERAL_LOC_IGNORE: u32 = 37;
    pub(crate) const GROUPREF_UNI_IGNORE: u32 = 38;
    pub(crate) const IN_UNI_IGNORE: u32 = 39;
    pub(crate) const LITERAL_UNI_IGNORE: u32 = 40;
    pub(crate) const NOT_LITERAL_UNI_IGNORE: u32 = 41;
    pub(crate) const RANGE_UNI_IGNORE: u32 = 42;
    /// Bits of an info block.
    pub(crate) const INFO_PREFIX: u32 = 1;
    pub(crate) const INFO_LITERAL: u32 = 2;
    pub(crate) const INFO_CHARSET: u32 = 4;
}

/// Words of a program's head.
pub(super) mod head {
    /// How to look for a start: one of the values below, 0 for "anywhere".
    pub(crate) const SEARCH: usize = 0;
    /// Least length of a match.
    pub(crate) const MIN_WIDTH: usize = 1;
    /// Address of the prefix or of the set of first characters.
    pub(crate) const TABLE: usize = 2;
    /// Characters of the prefix.
    pub(crate) const TABLE_LEN: usize = 3;
    /// First operation.
    pub(crate) const START: usize = 4;
    pub(crate) const GROUPS: usize = 5;
    pub(crate) const WORDS: usize = 6;

    pub(crate) const PREFIX: u32 = 1;
    /// The prefix is all of the pattern.
    pub(crate) const LITERAL: u32 = 2;
    pub(crate) const CHARSET: u32 = 3;
}

/// Words in front of a set's program: whether the bitmap holds, and the bitmap.
const SET_HEAD: usize = 9;
/// Deepest nesting of groups.
const MAX_DEPTH: u32 = 5000;

/// The list is none that `re._compiler` makes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct InvalidCode;

type Res<T> = Result<T, InvalidCode>;

struct Translator<'a> {
    src: &'a [u32],
    out: Vec<u32>,
    sets: Vec<u32>,
    /// Words of `out` that name a set by its place in `sets`.
    set_refs: Vec<usize>,
    groups: u32,
    depth: u32,
}

/// The matcher's form of `src`, a pattern with `groups` groups.
pub(super) fn translate(src: &[u32], groups: u32) -> Res<Vec<u32>> {
    if groups > MAXGROUPS {
        return Err(InvalidCode);
    }
    let mut t = Translator {
        src,
        out: vec![0; head::WORDS],
        sets: Vec::new(),
        set_refs: Vec::new(),
        groups,
        depth: 0,
    };
    t.out[head::GROUPS] = groups;
    let Some((&sre::SUCCESS, _)) = src.split_last() else {
        return Err(InvalidCode);
    };
    let mut at = 0;
    if src[0] == sre::INFO {
        at = t.info()?;
    }
    t.out[head::START] = t.out.len() as u32;
    if t.block(at, src.len() - 1)?.is_some() {
        return Err(InvalidCode);
    }
    t.out.push(op::ACCEPT);
    let base = t.out.len() as u32;
    for &i in &t.set_refs {
        t.out[i] += base;
    }
    t.out.extend_from_slice(&t.sets);
    Ok(t.out)
}

impl Translator<'_> {
    fn word(&self, i: usize) -> Res<u32> {
        self.src.get(i).copied().ok_or(InvalidCode)
    }

    /// Where the skip in word `i` leads.
    fn skip(&self, i: usize, end: usize) -> Res<usize> {
        let to = i + self.word(i)? as usize;
        if to > i && to <= end {
            Ok(to)
        } else {
            Err(InvalidCode)
        }
    }

    fn info(&mut self) -> Res<usize> {
        let end = self.skip(1, self.src.len())?;
        let (mask, min) = (self.word(2)?, self.word(3)?);
        self.word(4)?;
        self.out[head::MIN_WIDTH] = min;
        if mask & sre::INFO_PREFIX != 0 {
            let n = self.word(5)? as usize;
            let from = 7;
            if n == 0 || from + 2 * n > end {
                return Err(InvalidCode);
            }
            self.out[head::SEARCH] = if mask & sre::INFO_LITERAL != 0 {
                head::LITERAL
            } else {
                head::PREFIX
            };
            self.out[head::TABLE] = self.out.len() as u32;
            self.out[head::TABLE_LEN] = n as u32;
            self.out.extend_from_slice(&self.src[from..from + n]);
        } else if mask & sre::INFO_CHARSET != 0 {
            let set = self.set(5, end)?;
            self.out[head::SEARCH] = head::CHARSET;
            self.out[head::TABLE] = set;
            self.set_refs.push(head::TABLE);
        }
        Ok(end)
    }

    /// Copies a set's program; its place among the sets.
    fn set(&mut self, from: usize, end: usize) -> Res<u32> {
        let mut i = from;
        let mut dynamic = false;
        loop {
            if i >= end {
                return Err(InvalidCode);
            }
            i += match self.word(i)? {
                sre::FAILURE => break,
                sre::NEGATE => 1,
                sre::LITERAL => 2,
                sre::CATEGORY => {
                    let c = self.word(i + 1)?;
                    if c > chars::LAST_CATEGORY {
                        return Err(InvalidCode);
                    }
                    dynamic |= chars::follows_locale(c);
                    2
                }
                sre::RANGE | sre::RANGE_UNI_IGNORE => 3,
                sre::CHARSET => 9,
                sre::BIGCHARSET => {
                    let blocks = self.word(i + 1)? as usize;
                    let table = self.src.get(i + 2..i + 66).ok_or(InvalidCode)?;
                    let named = |w: &u32| w.to_le_bytes().iter().any(|&b| b as usize >= blocks);
                    if blocks > 256 || table.iter().any(named) {
                        return Err(InvalidCode);
                    }
                    66 + 8 * blocks
                }
                _ => return Err(InvalidCode),
            };
        }
        let at = self.sets.len();
        self.sets.push(u32::from(!dynamic));
        self.sets.extend([0; 8]);
        self.sets.extend_from_slice(&self.src[from..=i]);
        if !dynamic {
            for c in 0..256u32 {
                if walk_set(&self.sets[at + SET_HEAD..], c) {
                    self.sets[at + 1 + (c / 32) as usize] |= 1 << (c % 32);
                }
            }
        }
        Ok(at as u32)
    }

    /// Translates `src[i..end]`. If it ends with a jump, that is left out and
    /// its target in `src` returned.
    fn block(&mut self, mut i: usize, end: usize) -> Res<Option<usize>> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(InvalidCode);
        }
        while i < end {
            let code = self.word(i)?;
            if code == sre::JUMP {
                if i + 2 != end {
                    return Err(InvalidCode);
                }
                self.depth -= 1;
                return Ok(Some(i + 1 + self.word(i + 1)? as usize));
            }
            i = self.one(code, i, end)?;
            if i > end {
                return Err(InvalidCode);
            }
        }
        self.depth -= 1;
        Ok(None)
    }

    /// A block that must not end with a jump.
    fn plain(&mut self, from: usize, end: usize) -> Res<()> {
        match self.block(from, end)? {
            None => Ok(()),
            Some(_) => Err(InvalidCode),
        }
    }

    /// A block that ends with `SUCCESS`, which is left out.
    fn body(&mut self, from: usize, end: usize) -> Res<()> {
        if end <= from || self.word(end - 1)? != sre::SUCCESS {
            return Err(InvalidCode);
        }
        self.plain(from, end - 1)
    }

    fn here(&self) -> u32 {
        self.out.len() as u32
    }

    /// Translates the operation at `i`; where the next one is.
    fn one(&mut self, code: u32, i: usize, end: usize) -> Res<usize> {
        if let Some(next) = self.unit(code, i, end)? {
            return Ok(next);
        }
        match code {
            sre::FAILURE => {
                self.out.push(op::FAIL);
                Ok(i + 1)
            }
            sre::MARK => {
                let m = self.word(i + 1)?;
                if m >= 2 * self.groups {
                    return Err(InvalidCode);
                }
                self.out.extend([op::MARK, m]);
                Ok(i + 2)
            }
            sre::AT => {
                let a = self.word(i + 1)?;
                if a > chars::LAST_AT {
                    return Err(InvalidCode);
                }
                self.out.extend([op::AT, a]);
                Ok(i + 2)
            }
            sre::BRANCH => self.branch(i, end),
            sre::GROUPREF
            | sre::GROUPREF_IGNORE
            | sre::GROUPREF_LOC_IGNORE
            | sre::GROUPREF_UNI_IGNORE => {
                let how = match code {
                    sre::GROUPREF => 0,
                    sre::GROUPREF_IGNORE => 1,
                    sre::GROUPREF_UNI_IGNORE => 2,
                    _ => 3,
                };
                let g = self.group(i + 1)?;
                self.out.extend([op::GROUPREF, how, g]);
                Ok(i + 2)
            }
            sre::GROUPREF_EXISTS => {
                let g = self.group(i + 1)?;
                // The skip counts from the group's number.
                let no = i + 1 + self.word(i + 2)? as usize;
                if no > end || no < i + 3 {
                    return Err(InvalidCode);
                }
                let at = self.out.len();
                self.out.extend([op::GROUP_IF, g, 0]);
                match self.block(i + 3, no)? {
                    None => {
                        self.out[at + 2] = self.here();
                        Ok(no)
                    }
                    Some(behind) => {
                        if behind < no || behind > end {
                            return Err(InvalidCode);
                        }
                        let jump = self.out.len();
                        self.out.extend([op::JUMP, 0]);
                        self.out[at + 2] = self.here();
                        self.plain(no, behind)?;
                        self.out[jump + 1] = self.here();
                        Ok(behind)
                    }
                }
            }
            sre::REPEAT_ONE | sre::MIN_REPEAT_ONE | sre::POSSESSIVE_REPEAT_ONE => {
                let to = self.skip(i + 1, end)?;
                let (min, max) = self.bounds(i + 2)?;
                let kind = match code {
                    sre::REPEAT_ONE => op::REP_ONE,
                    sre::MIN_REPEAT_ONE => op::MIN_ONE,
                    _ => op::POSS_ONE,
                };
                self.out.extend([kind, min, max]);
                let at = self.out.len();
                self.body(i + 4, to)?;
                if self.out.len() != at + 2 || self.out[at] > op::LAST_UNIT || self.out[at] == 0 {
                    return Err(InvalidCode);
                }
                Ok(to)
            }
            sre::REPEAT => {
                let to = self.skip(i + 1, end)?;
                let (min, max) = self.bounds(i + 2)?;
                let at = self.out.len();
                self.out.extend([op::REPEAT, 0]);
                self.plain(i + 4, to)?;
                self.out[at + 1] = self.here();
                let until = match self.word(to)? {
                    sre::MAX_UNTIL => op::MAX_UNTIL,
                    sre::MIN_UNTIL => op::MIN_UNTIL,
                    _ => return Err(InvalidCode),
                };
                self.out.extend([until, at as u32 + 2, min, max]);
                Ok(to + 1)
            }
            sre::POSSESSIVE_REPEAT => {
                let to = self.skip(i + 1, end)?;
                let (min, max) = self.bounds(i + 2)?;
                self.out.push(op::POSS);
                let at = self.here();
                self.out.extend([op::POSS_LOOP, min, max, 0]);
                self.plain(i + 4, to)?;
                if self.word(to)? != sre::SUCCESS {
                    return Err(InvalidCode);
                }
                self.out.extend([op::POSS_END, at]);
                self.out[at as usize + 3] = self.here();
                self.out.push(op::POSS_LEAVE);
                Ok(to + 1)
            }
            sre::ATOMIC_GROUP => {
                let to = self.skip(i + 1, end)?;
                self.out.push(op::ATOMIC);
                self.body(i + 2, to)?;
                self.out.push(op::ATOMIC_END);
                Ok(to)
            }
            sre::ASSERT | sre::ASSERT_NOT => {
                let to = self.skip(i + 1, end)?;
                let back = self.word(i + 2)?;
                if code == sre::ASSERT {
                    self.out.extend([op::ASSERT, back]);
                    self.body(i + 3, to)?;
                    self.out.push(op::ASSERT_END);
                } else {
                    let at = self.out.len();
                    self.out.extend([op::ASSERT_NOT, back, 0]);
                    self.body(i + 3, to)?;
                    self.out.push(op::ASSERT_NOT_END);
                    self.out[at + 2] = self.here();
                }
                Ok(to)
            }
            _ => Err(InvalidCode),
        }
    }

    fn branch(&mut self, i: usize, end: usize) -> Res<usize> {
        let mut i = i + 1;
        let mut jumps = Vec::new();
        let mut behind = None;
        while self.word(i)? != 0 {
            let to = self.skip(i, end)?;
            let alt = self.out.len();
            self.out.extend([op::ALT, 0]);
            let Some(target) = self.block(i + 1, to)? else {
                return Err(InvalidCode);
            };
            if *behind.get_or_insert(target) != target {
                return Err(InvalidCode);
            }
            jumps.push(self.out.len() + 1);
            self.out.extend([op::JUMP, 0]);
            self.out[alt + 1] = self.here();
            i = to;
        }
        // When all alternatives failed.
        self.out.push(op::FAIL);
        let here = self.here();
        for j in jumps {
            self.out[j] = here;
        }
        if behind.is_some_and(|b| b != i + 1) {
            return Err(InvalidCode);
        }
        Ok(i + 1)
    }

    fn bounds(&self, i: usize) -> Res<(u32, u32)> {
        let (min, max) = (self.word(i)?, self.word(i + 1)?);
        if min > max {
            return Err(InvalidCode);
        }
        Ok((min, max))
    }

    fn group(&self, i: usize) -> Res<u32> {
        match self.word(i)? {
            g if g < self.groups => Ok(g),
            _ => Err(InvalidCode),
        }
    }

    /// Operations that match one character.
    fn unit(&mut self, code: u32, i: usize, end: usize) -> Res<Option<usize>> {
        let unit = match code {
            sre::ANY => op::ANY,
            sre::ANY_ALL => op::ANY_ALL,
            sre::LITERAL => op::LIT,
            sre::NOT_LITERAL => op::NOT_LIT,
            sre::LITERAL_IGNORE => op::LIT_ASCII,
            sre::NOT_LITERAL_IGNORE => op::NOT_LIT_ASCII,
            sre::LITERAL_UNI_IGNORE => op::LIT_UNI,
            sre::NOT_LITERAL_UNI_IGNORE => op::NOT_LIT_UNI,
            sre::LITERAL_LOC_IGNORE => op::LIT_LOC,
            sre::NOT_LITERAL_LOC_IGNORE => op::NOT_LIT_LOC,
            sre::IN => op::IN,
            sre::IN_IGNORE => op::IN_ASCII,
            sre::IN_UNI_IGNORE => op::IN_UNI,
            sre::IN_LOC_IGNORE => op::IN_LOC,
            sre::CATEGORY => op::CATEGORY,
            _ => return Ok(None),
        };
        let (arg, next) = match unit {
            op::ANY | op::ANY_ALL => (0, i + 1),
            op::IN | op::IN_ASCII | op::IN_UNI | op::IN_LOC => {
                let to = self.skip(i + 1, end)?;
                let set = self.set(i + 2, to)?;
                self.set_refs.push(self.out.len() + 1);
                (set, to)
            }
            op::CATEGORY => {
                let c = self.word(i + 1)?;
                if c > chars::LAST_CATEGORY {
                    return Err(InvalidCode);
                }
                (c, i + 2)
            }
            _ => (self.word(i + 1)?, i + 2),
        };
        self.out.extend([unit, arg]);
        Ok(Some(next))
    }
}

/// Whether the set at `at` of a program has `c`.
#[inline]
pub(super) fn in_set(code: &[u32], at: usize, c: u32) -> bool {
    let set = &code[at..];
    if c < 256 && set[0] != 0 {
        return set[1 + (c / 32) as usize] >> (c % 32) & 1 != 0;
    }
    walk_set(&set[SET_HEAD..], c)
}

fn walk_set(set: &[u32], c: u32) -> bool {
    let mut i = 0;
    let mut ok = true;
    loop {
        match set[i] {
            sre::NEGATE => {
                ok = !ok;
                i += 1;
            }
            sre::LITERAL => {
                if c == set[i + 1] {
                    return ok;
                }
                i += 2;
            }
            sre::CATEGORY => {
                if chars::category(set[i + 1], c) {
                    return ok;
                }
                i += 2;
            }
            sre::RANGE => {
                if set[i + 1] <= c && c <= set[i + 2] {
                    return ok;
                }
                i += 3;
            }
            sre::RANGE_UNI_IGNORE => {
                let range = set[i + 1]..=set[i + 2];
                if range.contains(&c) || range.contains(&chars::upper(c)) {
                    return ok;
                }
                i += 3;
            }
            sre::CHARSET => {
                if c < 256 && set[i + 1 + (c / 32) as usize] >> (c % 32) & 1 != 0 {
                    return ok;
                }
                i += 9;
            }
            sre::BIGCHARSET => {
                if c < 0x10000 {
                    let high = (c >> 8) as usize;
                    let block = set[i + 2 + high / 4].to_le_bytes()[high % 4] as usize;
                    let low = c & 255;
                    if set[i + 66 + 8 * block + (low / 32) as usize] >> (low % 32) & 1 != 0 {
                        return ok;
                    }
                }
                i += 66 + 8 * set[i + 1] as usize;
            }
            _ => return !ok,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greedy_repeat_of_a_literal() {
        // a+b: REPEAT_ONE 6 1 MAX LITERAL a SUCCESS, LITERAL b, SUCCESS
        let src = [24, 6, 1, u32::MAX, 16, 97, 1, 16, 98, 1];
        let p = translate(&src, 0).expect("well formed");
        let start = p[head::START] as usize;
        let want = [
            op::REP_ONE,
            1,
            MAXREPEAT,
            op::LIT,
            97,
            op::LIT,
            98,
            op::ACCEPT,
        ];
        assert_eq!(p[start..], want);
    }

    #[test]
    fn jumps_out_of_the_list_are_refused() {
        for src in [
            &[][..],
            &[16, 97],
            &[24, 60, 1, 1, 16, 97, 1, 1],
            &[17, 0, 1],
            &[7, 5, 16, 97, 15, 9, 0, 1],
            &[13, 3, 16, 97, 1],
            &[6, 99, 1],
            &[200, 1],
        ] {
            assert_eq!(translate(src, 0), Err(InvalidCode), "{src:?}");
        }
    }

    #[test]
    fn sets_answer_beyond_the_bitmap() {
        // [^a-z\u0400-\u04ff]
        let src = [13, 9, 21, 22, 97, 122, 22, 0x400, 0x4ff, 0, 1];
        let p = translate(&src, 0).expect("well formed");
        let set = p[p[head::START] as usize + 1] as usize;
        assert!(!in_set(&p, set, 'q' as u32) && in_set(&p, set, 'Q' as u32));
        assert!(!in_set(&p, set, 0x430) && in_set(&p, set, 0x530));
    }
}
