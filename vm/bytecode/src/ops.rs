//! The instruction table and the instruction word.

/// Calls `$m!{ NAME(operands) "meaning" ... }` once with every instruction.
///
/// Operand letters: `d`, `a`, `b`, `c` in this order, each with its kind:
/// `w` register written, `r` register read, `rw` both, `k` constant index,
/// `ic` inline-cache index, `n` plain number, `win` first register of a call
/// window, `off` signed 32-bit jump offset in instructions, relative to the next
/// instruction, held in `b` and `c` together; `s16` the same in `c` alone.
#[macro_export]
macro_rules! for_each_op {
    ($m:ident) => {
        $m! {
        // --- moves, constants, names ---------------------------------------
        NOP()                       "does nothing"
        MOVE(a:w, b:r)              "a = b"
        LOAD_CONST(a:w, b:k)        "a = constant b"
        LOAD_INT(a:w, b:off)        "a = the signed number in b and c"
        CHECK_BOUND(a:r, b:k)       "UnboundLocalError for name b if a is unset"
        DELETE_FAST(a:w, b:k)       "unsets local a; UnboundLocalError for name b if it was unset"
        CLEAR(a:w)                  "unsets a, whatever it held"
        MAKE_CELL(a:rw)             "a = new cell holding what a held (unset stays unset)"
        LOAD_CELL(a:w, b:r, c:k)    "a = content of cell b; UnboundLocalError / NameError (free, d = 1) for name c if empty"
        STORE_CELL(a:r, b:r)        "content of cell a = b"
        DELETE_CELL(a:r, b:n, c:k)  "empties cell a; error as LOAD_CELL if it was empty"
        LOAD_CLOSURE(a:w, b:n)      "a = cell number b of the running function's closure tuple"
        LOAD_CLASSDEREF(a:w, b:r, c:k) "a = name c in the namespace of register 0, else content of cell b (NameError if empty)"
        LOAD_GLOBAL(a:w, b:n, c:ic) "a = global or builtin named by cache c"
        STORE_GLOBAL(a:r, b:n, c:ic) "global named by cache c = a"
        DELETE_GLOBAL(a:n, b:n, c:ic) "deletes the global named by cache c"
        LOAD_NAME(a:w, b:r, c:ic)   "a = name of cache c in namespace b, else global, else builtin"
        STORE_NAME(a:r, b:r, c:ic)  "name of cache c in namespace b = a"
        DELETE_NAME(a:n, b:r, c:ic) "deletes name of cache c in namespace b"
        // --- attributes and items ------------------------------------------
        LOAD_ATTR(a:w, b:r, c:ic)   "a = b.name"
        STORE_ATTR(a:r, b:r, c:ic)  "a.name = b"
        DELETE_ATTR(a:r, b:n, c:ic) "del a.name"
        LOAD_METHOD(a:win, b:r, c:ic) "window a: callable of b.name into a, and b into a+5 if it is a method found on b's class, else 0"
        LOAD_SUPER_ATTR(a:w, b:r, c:ic) "a = super(b, b+1).name; b holds the class, b+1 self"
        LOAD_SUPER_METHOD(a:win, b:r, c:ic) "as LOAD_METHOD for super(b, b+1).name"
        LOAD_SUBSCR(a:w, b:r, c:r)  "a = b[c]"
        STORE_SUBSCR(a:r, b:r, c:r) "a[b] = c"
        DELETE_SUBSCR(a:r, b:r)     "del a[b]"
        BUILD_SLICE(a:w, b:r)       "a = slice(b, b+1, b+2)"
        // --- arithmetic; d = 1 asks for the in-place variant ------------------
        ADD(a:w, b:r, c:r)          "a = b + c"
        SUB(a:w, b:r, c:r)          "a = b - c"
        MUL(a:w, b:r, c:r)          "a = b * c"
        TRUEDIV(a:w, b:r, c:r)      "a = b / c"
        FLOORDIV(a:w, b:r, c:r)     "a = b // c"
        MOD(a:w, b:r, c:r)          "a = b % c"
        POW(a:w, b:r, c:r)          "a = b ** c"
        MATMUL(a:w, b:r, c:r)       "a = b @ c"
        LSHIFT(a:w, b:r, c:r)       "a = b << c"
        RSHIFT(a:w, b:r, c:r)       "a = b >> c"
        AND(a:w, b:r, c:r)          "a = b & c"
        OR(a:w, b:r, c:r)           "a = b | c"
        XOR(a:w, b:r, c:r)          "a = b ^ c"
        ADDK(a:w, b:r, c:k)         "a = b + constant c"
        SUBK(a:w, b:r, c:k)         "a = b - constant c"
        MULK(a:w, b:r, c:k)         "a = b * constant c"
        FLOORDIVK(a:w, b:r, c:k)    "a = b // constant c"
        MODK(a:w, b:r, c:k)         "a = b % constant c"
        ANDK(a:w, b:r, c:k)         "a = b & constant c"
        LSHIFTK(a:w, b:r, c:k)      "a = b << constant c"
        RSHIFTK(a:w, b:r, c:k)      "a = b >> constant c"
        NEG(a:w, b:r)               "a = -b"
        POS(a:w, b:r)               "a = +b"
        INVERT(a:w, b:r)            "a = ~b"
        NOT(a:w, b:r)               "a = not b"
        // --- comparison --------------------------------------------------------
        LT(a:w, b:r, c:r)           "a = b < c"
        LE(a:w, b:r, c:r)           "a = b <= c"
        EQ(a:w, b:r, c:r)           "a = b == c"
        NE(a:w, b:r, c:r)           "a = b != c"
        GT(a:w, b:r, c:r)           "a = b > c"
        GE(a:w, b:r, c:r)           "a = b >= c"
        IS(a:w, b:r, c:r)           "a = b is c (d = 1: is not)"
        IN(a:w, b:r, c:r)           "a = b in c (d = 1: not in)"
        // --- jumps ---------------------------------------------------------------
        JUMP(a:n, b:off)            "jumps; forward, or backward where no loop is closed"
        LOOP(a:n, b:n)              "closes loop number b: jumps to its header; registers from a on are dead"
        JT(a:r, b:off)              "jumps if a is true"
        JF(a:r, b:off)              "jumps if a is false"
        JNONE(a:r, b:off)           "jumps if a is None"
        JNOTNONE(a:r, b:off)        "jumps if a is not None"
        JLT(a:r, b:r, c:s16)        "jumps if a < b"
        JLE(a:r, b:r, c:s16)        "jumps if a <= b"
        JEQ(a:r, b:r, c:s16)        "jumps if a == b"
        JNE(a:r, b:r, c:s16)        "jumps if a != b"
        JGT(a:r, b:r, c:s16)        "jumps if a > b"
        JGE(a:r, b:r, c:s16)        "jumps if a >= b"
        JNLT(a:r, b:r, c:s16)       "jumps if not a < b"
        JNLE(a:r, b:r, c:s16)       "jumps if not a <= b"
        JNEQ(a:r, b:r, c:s16)       "jumps if not a == b"
        JNNE(a:r, b:r, c:s16)       "jumps if not a != b"
        JNGT(a:r, b:r, c:s16)       "jumps if not a > b"
        JNGE(a:r, b:r, c:s16)       "jumps if not a >= b"
        JIS(a:r, b:r, c:s16)        "jumps if a is b"
        JISNOT(a:r, b:r, c:s16)     "jumps if a is not b"
        GET_ITER(a:w, b:r)          "a = iter(b)"
        FOR_ITER(a:r, b:w, c:win)   "b = next(a) and skips the next instruction (a JUMP to the loop's exit), which runs on exhaustion; c = a free window"
        // --- calls ---------------------------------------------------------------
        CALL(a:win, b:n, c:w)       "c = call of window a with b positional arguments"
        CALL_METHOD(a:win, b:n, c:w) "as CALL after LOAD_METHOD: b arguments from a+6 on, a+5 = self or 0"
        CALL_KW(a:win, b:n, c:w)    "as CALL, b counts all; a+1 = tuple with the names of the last arguments"
        CALL_METHOD_KW(a:win, b:n, c:w) "as CALL_METHOD with names in a+1"
        CALL_EX(a:win, b:n, c:w)    "c = call of a with the iterable a+5 and, if b = 1, the mapping a+6"
        RETURN(a:r)                 "returns a"
        MAKE_FUNCTION(a:w, b:k, c:r) "a = function of code constant b; d bit 0: defaults tuple in c, 1: keyword defaults dict in c+1, 2: annotations tuple in c+2, 3: closure tuple in c+3"
        BUILD_CLASS_FN(a:w)         "a = __build_class__"
        // --- building ------------------------------------------------------------
        BUILD_TUPLE(a:w, b:r, c:n)  "a = tuple of the c registers from b on"
        BUILD_LIST(a:w, b:r, c:n)   "a = list of the c registers from b on"
        BUILD_SET(a:w, b:r, c:n)    "a = set of the c registers from b on"
        BUILD_MAP(a:w, b:r, c:n)    "a = dict of the c key, value pairs from b on"
        BUILD_STRING(a:w, b:r, c:n) "a = concatenation of the c strings from b on"
        FORMAT_VALUE(a:w, b:r, c:r) "a = format(b, c); c = 65535: empty spec; d: 0 none, 1 str, 2 repr, 3 ascii applied first"
        LIST_APPEND(a:r, b:r)       "appends b to list a"
        LIST_EXTEND(a:r, b:r)       "extends list a by iterable b (d = 1: 'Value after * must be an iterable' error)"
        LIST_TO_TUPLE(a:w, b:r)     "a = tuple of list b"
        SET_ADD(a:r, b:r)           "adds b to set a"
        SET_UPDATE(a:r, b:r)        "adds the items of b to set a"
        MAP_ADD(a:r, b:r, c:r)      "dict a[b] = c"
        DICT_UPDATE(a:r, b:r)       "dict a updated by mapping b ('object is not a mapping' error)"
        DICT_MERGE(a:r, b:r, c:r)   "as DICT_UPDATE for keyword arguments of callable c: a double or non-string key is a TypeError"
        UNPACK_SEQUENCE(a:w, b:r, c:n) "the c registers from a on = the items of b"
        UNPACK_EX(a:w, b:r, c:n)    "as UNPACK_SEQUENCE with a starred target: c low byte items before, high byte after; registers a.. in order, the list between"
        // --- imports ---------------------------------------------------------------
        IMPORT_NAME(a:w, b:r, c:ic) "a = import of the name of cache c; b = level, b+1 = from-list"
        IMPORT_FROM(a:w, b:r, c:ic) "a = name of cache c from module b"
        IMPORT_STAR(a:r, b:r)       "public names of module a into namespace b"
        // --- exceptions -----------------------------------------------------------
        RAISE(a:r, b:r)             "d = 0: re-raises the handled exception, 1: raises a, 2: raises a from b"
        RERAISE(a:r)                "raises exception a again, traceback kept (d = 1: the frame shows the instruction whose number is in a+1 as its last)"
        PUSH_EXC(a:w, b:r)          "a = exception handled so far; b is handled now"
        POP_EXC(a:r)                "a is the handled exception again"
        CHECK_EXC_MATCH(a:w, b:r, c:r) "a = exception b matches class or tuple c"
        CHECK_EG_MATCH(a:w, b:r, c:r) "a = matching part of exception b (which may be None) for except* c or None, and then it is the handled exception; a+1 = rest or None"
        PREP_RERAISE_STAR(a:w, b:r, c:r) "a = exception to raise after except* blocks, or None; b original, c list of results"
        LOAD_ASSERTION_ERROR(a:w)   "a = AssertionError"
        EXC_TRIPLE(a:w, b:r)        "a, a+1, a+2 = type, value, traceback of exception b"
        LOAD_SPECIAL(a:win, b:r)    "as LOAD_METHOD for a special method looked up on the type: d = 0 __enter__, 1 __exit__, 2 __aenter__, 3 __aexit__"
        // --- generators and coroutines ---------------------------------------------
        RETURN_GENERATOR(a:n)       "makes the generator, coroutine or async generator of this code, returns it; its first resume goes on behind this instruction; registers from a on are dead"
        YIELD(a:w, b:r, c:n)        "yields b; a = what is sent in; registers from c on are dead (d = 1: wraps b for an async generator; d = 2: passes on what SEND got: the sub-iterator is in a-1, SEND is two and its JUMP one instruction before, and a result goes to a and on at that JUMP's target)"
        GET_YIELD_FROM_ITER(a:w, b:r) "a = iterator for `yield from b`"
        GET_AWAITABLE(a:w, b:r)     "a = awaitable iterator of b; d: 0 plain, 1 from __aenter__, 2 from __aexit__"
        SEND(a:rw, b:r, c:win)      "sends b into sub-iterator a: if that yields, a+1 = the value and the next instruction (a JUMP) is skipped; if it returns, a+1 = its result and the JUMP runs; c = a free window"
        GET_AITER(a:w, b:r)         "a = b.__aiter__()"
        GET_ANEXT(a:w, b:r)         "a = awaitable iterator, ready for SEND, of b.__anext__()"
        END_ASYNC_FOR(a:r)          "returns normally if exception a is StopAsyncIteration, else raises it again"
        // --- pattern matching ---------------------------------------------------------
        MATCH_SEQUENCE(a:w, b:r)    "a = b is a sequence for pattern matching"
        MATCH_MAPPING(a:w, b:r)     "a = b is a mapping for pattern matching"
        MATCH_KEYS(a:w, b:r, c:r)   "a = tuple of the values of mapping b at the tuple of keys c, or None"
        MATCH_CLASS(a:w, b:r, c:r)  "a = tuple of attributes of b for class pattern c (class in c, tuple of keyword names in c+1, d = number of positional patterns), or None"
        COPY_DICT_WITHOUT_KEYS(a:w, b:r, c:r) "a = dict of mapping b without the keys in tuple c"
        GET_LEN(a:w, b:r)           "a = len(b)"
        // --- the rest --------------------------------------------------------------------
        SETUP_ANNOTATIONS(a:r)      "makes __annotations__ in namespace a if it is missing"
        PRINT_EXPR(a:r)             "sys.displayhook(a)"
        ENTER()                     "begins a function that is hot: runs its compiled code, or records it; stands in front of no code"
        HALT()                      "leaves the dispatch loop; the return address of frames that native code called"
        }
    };
}

macro_rules! define_ops {
    ($($name:ident($($field:ident : $kind:ident),*) $doc:literal)*) => {
        /// One instruction's kind. The numbers are not stable between versions.
        #[allow(non_camel_case_types, reason = "named as CPython writes its opcodes")]
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        #[repr(u8)]
        pub enum Op { $(#[doc = $doc] $name),* }

        impl Op {
            /// Every instruction, in table order; `ALL[op as usize] == op`.
            pub const ALL: &'static [Op] = &[$(Op::$name),*];

            /// Upper-case mnemonic.
            pub fn name(self) -> &'static str {
                match self { $(Op::$name => stringify!($name)),* }
            }

            /// The operands in use, in the order `a`, `b`, `c`.
            pub fn operands(self) -> &'static [(char, OperandKind)] {
                match self { $(Op::$name => const { &[$((operand_letter(stringify!($field)), OperandKind::from_str(stringify!($kind)))),*] }),* }
            }
        }
    };
}

const fn operand_letter(s: &str) -> char {
    s.as_bytes()[0] as char
}

/// How an operand is to be read; see [`for_each_op!`](crate::for_each_op).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OperandKind {
    /// Register that the instruction writes.
    Write,
    /// Register that the instruction reads.
    Read,
    /// Register read and written.
    ReadWrite,
    /// Index into the constants.
    Const,
    /// Index into the inline caches.
    Cache,
    /// A plain number.
    Number,
    /// First register of a call window.
    Window,
    /// Jump offset in `b` and `c`.
    Offset32,
    /// Jump offset in `c`.
    Offset16,
}

impl OperandKind {
    const fn from_str(s: &str) -> OperandKind {
        match s.as_bytes() {
            b"w" => OperandKind::Write,
            b"r" => OperandKind::Read,
            b"rw" => OperandKind::ReadWrite,
            b"k" => OperandKind::Const,
            b"ic" => OperandKind::Cache,
            b"n" => OperandKind::Number,
            b"win" => OperandKind::Window,
            b"off" => OperandKind::Offset32,
            b"s16" => OperandKind::Offset16,
            _ => panic!("an operand kind that for_each_op! documents"),
        }
    }
}

for_each_op!(define_ops);

/// The six rich comparisons, numbered as CPython numbers them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum CmpOp {
    Lt = 0,
    Le = 1,
    Eq = 2,
    Ne = 3,
    Gt = 4,
    Ge = 5,
}

/// An instruction word; layout in the crate's documentation.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Ins(pub u64);

impl Ins {
    /// An instruction with three operands.
    pub const fn abc(op: Op, a: u16, b: u16, c: u16) -> Ins {
        Ins(op as u64 | (a as u64) << 16 | (b as u64) << 32 | (c as u64) << 48)
    }

    /// An instruction with one operand and a 32-bit offset or number.
    pub const fn a_off(op: Op, a: u16, off: i32) -> Ins {
        Ins(op as u64 | (a as u64) << 16 | (off as u32 as u64) << 32)
    }

    /// The same instruction with another small immediate.
    pub const fn with_d(self, d: u8) -> Ins {
        Ins(self.0 & !0xFF00 | (d as u64) << 8)
    }

    /// The same instruction with another 32-bit offset.
    pub const fn with_off(self, off: i32) -> Ins {
        Ins(self.0 & 0xFFFF_FFFF | (off as u32 as u64) << 32)
    }

    /// The same instruction with another operand `c`.
    pub const fn with_c(self, c: u16) -> Ins {
        Ins(self.0 & 0x0000_FFFF_FFFF_FFFF | (c as u64) << 48)
    }

    /// The opcode.
    ///
    /// # Panics
    /// If the word was not made by this type's constructors.
    pub fn op(self) -> Op {
        Op::ALL[(self.0 & 0xFF) as usize]
    }

    /// The opcode's number, unchecked.
    #[inline(always)]
    pub const fn opcode(self) -> usize {
        (self.0 & 0xFF) as usize
    }

    /// Small immediate.
    #[inline(always)]
    pub const fn d(self) -> u8 {
        (self.0 >> 8) as u8
    }

    /// Operand `a`.
    #[inline(always)]
    pub const fn a(self) -> usize {
        (self.0 >> 16) as u16 as usize
    }

    /// Operand `b`.
    #[inline(always)]
    pub const fn b(self) -> usize {
        (self.0 >> 32) as u16 as usize
    }

    /// Operand `c`.
    #[inline(always)]
    pub const fn c(self) -> usize {
        (self.0 >> 48) as usize
    }

    /// Signed 32-bit number in `b` and `c`.
    #[inline(always)]
    pub const fn off(self) -> i32 {
        (self.0 >> 32) as u32 as i32
    }

    /// Signed 16-bit number in `c`.
    #[inline(always)]
    pub const fn s16(self) -> i16 {
        (self.0 >> 48) as i16
    }
}

impl std::fmt::Debug for Ins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} d={} a={} b={} c={}",
            self.op().name(),
            self.d(),
            self.a(),
            self.b(),
            self.c()
        )
    }
}
