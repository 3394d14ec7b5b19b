//! The character database: a compressed text, made by
//! `tools/unicodedata_blob.py`, taken apart when it is first asked for.
//!
//! Its sections, with what their lines hold (capitals: Unicode 14; small letters:
//! where Unicode 3.2 differs):
//! `P` category, bidirectional class (`-`: none), combining class, mirrored, width;
//! `R`, `r` first code point of a range and number of its `P` line;
//! `D`, `d` code point and decomposition (`-`: none); `C`, `c` first, second, composed;
//! `N`, `n` code point, numeric, decimal and digit value;
//! `J` first and last ideograph of a range; `A` code point and name;
//! `S` code points, `;`, alias or name of a sequence.

use std::collections::HashMap;
use std::sync::OnceLock;

static DATA: &[u8] = include_bytes!("data.bin");

/// One line of section `P`.
pub(super) struct Record {
    pub(super) category: &'static str,
    pub(super) bidirectional: &'static str,
    pub(super) combining: u8,
    pub(super) mirrored: bool,
    pub(super) width: &'static str,
}

/// Values of a number: numeric, decimal, digit.
#[derive(Clone, Copy)]
pub(super) struct Number {
    pub(super) numeric: Option<f64>,
    pub(super) decimal: Option<u8>,
    pub(super) digit: Option<u8>,
}

/// By code point, in order.
type Sorted<T> = Vec<(u32, T)>;

/// What one version of Unicode says.
#[derive(Default)]
struct Version {
    ranges: Sorted<usize>,
    decompositions: Sorted<&'static str>,
    compositions: HashMap<(u32, u32), u32>,
    numbers: Sorted<Number>,
}

#[derive(Default)]
pub(super) struct Tables {
    records: Vec<Record>,
    now: Version,
    /// Unicode 3.2; its decompositions and numbers hold differences only.
    old: Version,
    ideographs: Vec<(u32, u32)>,
    names: Sorted<&'static str>,
    sequences: HashMap<&'static str, Vec<u32>>,
    by_name: OnceLock<HashMap<&'static str, u32>>,
}

/// The tables.
pub(super) fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let text = crate::zlib::inflate_all(DATA).expect("the data were compressed by zlib");
        let text = String::from_utf8(text).expect("the data are text");
        Tables::parse(Box::leak(text.into_boxed_str()))
    })
}

fn hex(s: &str) -> u32 {
    u32::from_str_radix(s, 16).expect("the data's code points are hexadecimal")
}

fn number(s: &str) -> Number {
    let mut p = s.split(' ');
    Number {
        numeric: p.next().and_then(|s| s.parse().ok()),
        decimal: p.next().and_then(|s| s.parse().ok()),
        digit: p.next().and_then(|s| s.parse().ok()),
    }
}

fn find<T: Copy>(t: &Sorted<T>, c: u32) -> Option<T> {
    t.binary_search_by_key(&c, |e| e.0).ok().map(|i| t[i].1)
}

impl Tables {
    fn parse(text: &'static str) -> Tables {
        let mut t = Tables::default();
        let mut lines = text.lines();
        while let Some(head) = lines.next() {
            let (letter, n) = head.split_once(' ').expect("a section has a head");
            let n: usize = n.parse().expect("a section's head has a count");
            for line in lines.by_ref().take(n) {
                t.line(letter, line);
            }
        }
        t
    }

    fn line(&mut self, letter: &str, line: &'static str) {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        match letter {
            "P" => {
                let f: Vec<&'static str> = line.split(' ').collect();
                self.records.push(Record {
                    category: f[0],
                    bidirectional: if f[1] == "-" { "" } else { f[1] },
                    combining: f[2].parse().unwrap_or(0),
                    mirrored: f[3] == "1",
                    width: f[4],
                });
            }
            "R" | "r" => {
                let r = rest.parse().expect("a range names a record");
                self.version(letter).ranges.push((hex(first), r));
            }
            "D" | "d" => {
                let d = if rest == "-" { "" } else { rest };
                self.version(letter).decompositions.push((hex(first), d));
            }
            "C" | "c" => {
                let (b, c) = rest.split_once(' ').expect("a composition has three parts");
                self.version(letter)
                    .compositions
                    .insert((hex(first), hex(b)), hex(c));
            }
            "N" | "n" => self
                .version(letter)
                .numbers
                .push((hex(first), number(rest))),
            "J" => self.ideographs.push((hex(first), hex(rest))),
            "A" => self.names.push((hex(first), rest)),
            _ => {
                if let Some((points, name)) = line.split_once(';') {
                    let points = points.split(' ').map(hex).collect();
                    self.sequences.insert(name, points);
                }
            }
        }
    }

    fn version(&mut self, letter: &str) -> &mut Version {
        if letter.starts_with(char::is_uppercase) {
            &mut self.now
        } else {
            &mut self.old
        }
    }

    pub(super) fn record(&self, old: bool, c: u32) -> &Record {
        let r = if old { &self.old } else { &self.now };
        let i = r.ranges.partition_point(|e| e.0 <= c) - 1;
        &self.records[r.ranges[i].1]
    }

    /// As `unicodedata.decomposition` shows it.
    pub(super) fn decomposition(&self, old: bool, c: u32) -> &'static str {
        if old && let Some(d) = find(&self.old.decompositions, c) {
            return d;
        }
        find(&self.now.decompositions, c).unwrap_or("")
    }

    pub(super) fn composition(&self, old: bool, a: u32, b: u32) -> Option<u32> {
        let v = if old { &self.old } else { &self.now };
        v.compositions.get(&(a, b)).copied()
    }

    pub(super) fn number(&self, old: bool, c: u32) -> Number {
        if old && let Some(n) = find(&self.old.numbers, c) {
            return n;
        }
        find(&self.now.numbers, c).unwrap_or(Number {
            numeric: None,
            decimal: None,
            digit: None,
        })
    }

    pub(super) fn is_ideograph(&self, c: u32) -> bool {
        self.ideographs.iter().any(|&(a, b)| a <= c && c <= b)
    }

    /// A name from the list (not of syllables and ideographs, which have rules).
    pub(super) fn name(&self, c: u32) -> Option<&'static str> {
        find(&self.names, c)
    }

    /// The character with a name from the list.
    pub(super) fn named(&self, name: &str) -> Option<u32> {
        let all = self
            .by_name
            .get_or_init(|| self.names.iter().map(|&(c, n)| (n, c)).collect());
        all.get(name).copied()
    }

    /// What an alias or the name of a sequence stands for.
    pub(super) fn sequence(&self, name: &str) -> Option<&[u32]> {
        self.sequences.get(name).map(Vec::as_slice)
    }
}
