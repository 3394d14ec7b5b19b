//! Disassembly, for people.

use std::fmt::Write;

use iced_x86::{Decoder, DecoderOptions, Formatter, NasmFormatter};

use crate::backend::{Backend, Compiled};

impl Backend {
    /// The machine code of a trace as it is now, patches included: one instruction a line, with the
    /// offset from the trace's start.
    #[must_use]
    pub fn disassemble(&self, compiled: &Compiled) -> String {
        let bytes = self.cache().read(compiled.span);
        let start = compiled.span.address as u64;
        let mut decoder = Decoder::with_ip(
            64,
            &bytes[..compiled.code_bytes],
            start,
            DecoderOptions::NONE,
        );
        let mut formatter = NasmFormatter::new();
        let (mut out, mut text) = (String::new(), String::new());
        while decoder.can_decode() {
            let instruction = decoder.decode();
            text.clear();
            formatter.format(&instruction, &mut text);
            writeln!(out, "{:5x}  {text}", instruction.ip() - start)
                .expect("writing to a string succeeds");
        }
        out
    }
}
