//! Program text with its lines.

/// Source text and where its lines start. Lines end with `\n`, `\r\n` or `\r`.
#[derive(Debug)]
pub struct Source<'a> {
    text: &'a str,
    starts: Vec<u32>,
    /// Offset, line and column (both as positions have them), by offset: what
    /// places of generated text stand for.
    places: Option<Vec<(u32, u32, u32)>>,
}

impl<'a> Source<'a> {
    /// Finds the lines of `text`.
    pub fn new(text: &'a str) -> Source<'a> {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (i, &b) in bytes.iter().enumerate() {
            if b == b'\n' || b == b'\r' && bytes.get(i + 1) != Some(&b'\n') {
                starts.push(i as u32 + 1);
            }
        }
        Source {
            text,
            starts,
            places: None,
        }
    }

    /// Generated text: `places` says, ordered by offset, which line and column an
    /// offset stands for; what lies between two of them belongs to the first.
    pub fn with_places(text: &'a str, places: Vec<(u32, u32, u32)>) -> Source<'a> {
        Source {
            places: Some(places),
            ..Source::new(text)
        }
    }

    /// A place that generated text stands for. Offsets behind the text are lines.
    fn place(&self, offset: usize) -> Option<(u32, u32)> {
        let places = self.places.as_ref()?;
        if offset > self.text.len() {
            return Some(((offset - self.text.len() - 1) as u32, 0));
        }
        let i = places.partition_point(|p| p.0 as usize <= offset);
        let (_, line, col) = places.get(i.checked_sub(1)?)?;
        Some((*line, *col))
    }

    /// The whole text.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The bytes `start .. end`, cut to the text.
    pub fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or("")
    }

    /// Number of lines; text after the last line end counts as one, even if empty.
    pub fn line_count(&self) -> u32 {
        self.starts.len() as u32
    }

    /// Line from 1 and column in bytes from 0 of a byte offset.
    pub fn position(&self, offset: usize) -> (u32, u32) {
        if let Some(p) = self.place(offset) {
            return p;
        }
        let line = self.starts.partition_point(|&s| s as usize <= offset);
        (line as u32, offset as u32 - self.starts[line - 1])
    }

    /// Line from 1 and column in characters from 0 of a byte offset.
    pub fn char_position(&self, offset: usize) -> (u32, u32) {
        if let Some(p) = self.place(offset) {
            return p;
        }
        let offset = offset.min(self.text.len());
        let (line, col) = self.position(offset);
        let start = self.starts[line as usize - 1] as usize;
        let chars = self
            .text
            .get(start..offset)
            .map_or(col as usize, |t| t.chars().count());
        (line, chars as u32)
    }

    /// Offset of a line's first byte; the text's length past the last line.
    pub fn line_start(&self, line: u32) -> usize {
        if self.places.is_some() {
            return self.text.len() + 1 + line as usize;
        }
        self.starts
            .get((line as usize).saturating_sub(1))
            .map_or(self.text.len(), |&s| s as usize)
    }

    /// Text of a line with its end.
    pub fn line_text(&self, line: u32) -> &'a str {
        if self.places.is_some() {
            return "";
        }
        &self.text[self.line_start(line)..self.line_start(line + 1)]
    }
}
