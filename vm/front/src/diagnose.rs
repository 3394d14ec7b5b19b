//! What CPython would say about text that the parser refused.
//!
//! CPython parses twice: once plainly, and after a failure once more with rules
//! that recognize common mistakes. Here the parser's first error gives the place;
//! the tokens around it tell which of those rules would have fired. Without one it
//! is "invalid syntax" at the token that could not be taken.
//!
//! Order of precedence, as in CPython: an error of the tokenizer anywhere in the
//! text, a recognized mistake, a bracket never closed, "invalid syntax".

use crate::strings::{FstringError, escape_error, fstring_error};
use crate::tokens::{Kind, Token, Tokens, tokenize};
use crate::{ErrorKind, Mode, Source, SyntaxErrorInfo};
use ruff_python_ast::{Expr, Mod};
use ruff_python_parser::{ParseErrorType, Parsed, parse_expression};
use ruff_text_size::Ranged;

struct Diagnosis<'a> {
    source: &'a Source<'a>,
    tokens: &'a [Token],
    open: &'a [(u8, usize)],
}

/// The error of a text whose parse has errors.
pub(crate) fn diagnose(source: &Source<'_>, parsed: &Parsed<Mod>, mode: Mode) -> SyntaxErrorInfo {
    diagnose_nested(source, parsed, mode).0
}

/// As [`diagnose`]; whether the error is that of an f-string's field, which is a text
/// of its own.
pub(crate) fn diagnose_nested(
    source: &Source<'_>,
    parsed: &Parsed<Mod>,
    mode: Mode,
) -> (SyntaxErrorInfo, bool) {
    let Tokens { list, error, open } = tokenize(source);
    if let Some(e) = error {
        return (e, false);
    }
    let d = Diagnosis {
        source,
        tokens: &list,
        open: &open,
    };
    let first = parsed.errors().iter().min_by_key(|e| e.location.start());
    let Some(first) = first else {
        let unsupported = parsed
            .unsupported_syntax_errors()
            .iter()
            .min_by_key(|e| e.range().start());
        let range = unsupported.map(Ranged::range).unwrap_or_default();
        let (at, end) = (range.start().to_usize(), range.end().to_usize());
        let text = unsupported.map_or_else(String::new, ToString::to_string);
        return d.fstring_at(at).unwrap_or_else(|| {
            let new = d.too_new(&text, at, end);
            (new.unwrap_or_else(|| d.generic(d.token_at(at))), false)
        });
    };
    let at = first.location.start().to_usize();
    let end = first.location.end().to_usize();
    if let Some(e) = d.fstring_at(at) {
        return e;
    }
    let mut i = d.token_at(at);
    if d.opens_block(i) {
        i += 1;
    }
    // A positional argument behind a keyword is complete, or its own mistake counts.
    let later = parsed.errors().iter().any(|e| {
        let start = e.location.start().to_usize();
        start > at && start <= end && !matches!(e.error, ParseErrorType::OtherError(_))
    });
    let behind_keyword = matches!(
        first.error,
        ParseErrorType::PositionalAfterKeywordArgument
            | ParseErrorType::PositionalAfterKeywordUnpacking
    );
    if behind_keyword && later {
        return (d.generic(i), false);
    }
    let special = d.indentation(i).or_else(|| {
        let found = d
            .parameters(i)
            .or_else(|| d.augmented_tuple(i))
            .or_else(|| d.by_kind(&first.error, at, end, i))
            .or_else(|| d.by_tokens(i, mode))?;
        // A bracket open since an earlier line explains more.
        Some(d.never_closed(i).unwrap_or(found))
    });
    let e = special.unwrap_or_else(|| d.generic(d.really_at(i)));
    (e, false)
}

impl Diagnosis<'_> {
    fn text(&self, i: usize) -> &str {
        self.tokens
            .get(i)
            .map_or("", |t| self.source.slice(t.start, t.end))
    }

    fn kind(&self, i: usize) -> Kind {
        self.tokens.get(i).map_or(Kind::End, |t| t.kind)
    }

    fn start(&self, i: usize) -> usize {
        self.tokens
            .get(i)
            .map_or(self.source.text().len(), |t| t.start)
    }

    /// The first token that reaches beyond `at`.
    fn token_at(&self, at: usize) -> usize {
        let mut i = self
            .tokens
            .partition_point(|t| t.end <= at && t.start < at || t.end < at);
        while i + 1 < self.tokens.len() && self.tokens[i].end <= at && self.tokens[i].start < at {
            i += 1;
        }
        i.min(self.tokens.len().saturating_sub(1))
    }

    fn fail(&self, start: usize, end: usize, msg: impl Into<String>) -> SyntaxErrorInfo {
        SyntaxErrorInfo::at(self.source, ErrorKind::Syntax, start, end, msg)
    }

    fn at_token(&self, i: usize, msg: impl Into<String>) -> SyntaxErrorInfo {
        // A line end has no width.
        let wide = self.kind(i) != Kind::Newline;
        let end = self.tokens.get(i).filter(|_| wide).map_or(0, |t| t.end);
        self.fail(self.start(i), end.max(self.start(i)), msg)
    }

    /// "invalid syntax", or the bracket that explains it.
    fn generic(&self, i: usize) -> SyntaxErrorInfo {
        if let Some(e) = self.never_closed(i) {
            return e;
        }
        match self.kind(i) {
            Kind::Indent => self.unexpected_indent(i),
            Kind::Newline | Kind::End => {
                let mut e = self.at_token(i, "invalid syntax");
                // CPython counts the line end as a column behind the text.
                e.end_line = e.line;
                e
            }
            _ => self.at_token(i, "invalid syntax"),
        }
    }

    /// The innermost bracket left open, if token `i` is on a later line or the end.
    fn never_closed(&self, i: usize) -> Option<SyntaxErrorInfo> {
        let &(c, from) = self.open.last()?;
        let line = self.source.position(self.start(i)).0;
        let late = self.kind(i) == Kind::End || line > self.source.position(from).0;
        late.then(|| self.fail(from, from, format!("'{}' was never closed", char::from(c))))
    }

    /// CPython reads on where the parser already stopped: `a not b` fails at `b`.
    fn really_at(&self, i: usize) -> usize {
        let first = self.line_first(i);
        if self.text(first) == "raise" {
            let comma = (i..self.tokens.len())
                .take_while(|&j| self.kind(j) != Kind::Newline)
                .find(|&j| self.text(j) == "," && self.tokens[j].depth == 0);
            return comma.unwrap_or(i);
        }
        let next = match self.text(i) {
            "not" => i > first && self.ends_expression(i - 1) && self.text(i + 1) != "in",
            "await" => self.text(i + 1) == "=",
            "*" => self.text(first) == "from",
            "-" => self.text(first) == "case",
            _ => false,
        };
        if matches!(self.text(i), "*" | "**")
            && let Some(open) = self.enclosing_open(i)
            && self.text(open) == "{"
        {
            let depth = self.tokens[i].depth;
            let colon = (i..self.tokens.len())
                .find(|&j| self.text(j) == ":" && self.tokens[j].depth == depth);
            return colon.unwrap_or(i);
        }
        i + usize::from(next)
    }

    /// Syntax of later versions that 3.11 has a text for.
    fn too_new(&self, text: &str, at: usize, end: usize) -> Option<SyntaxErrorInfo> {
        let i = self.token_at(at);
        if text.contains("except") {
            return Some(self.fail(
                at,
                self.header_end(i).unwrap_or(end),
                "multiple exception types must be parenthesized",
            ));
        }
        if text.contains("comprehension") || text.contains("npacking") {
            let msg = if self.text(i) == "**" {
                return Some(
                    self.at_token(i, "dict unpacking cannot be used in dict comprehension"),
                );
            } else {
                "iterable unpacking cannot be used in comprehension"
            };
            return Some(self.fail(at, end, msg));
        }
        None
    }

    /// Where the header that token `i` is in ends, before its colon.
    fn header_end(&self, i: usize) -> Option<usize> {
        let colon =
            (i..self.tokens.len()).find(|&j| self.text(j) == ":" && self.tokens[j].depth == 0)?;
        Some(self.tokens[colon.checked_sub(1)?].end)
    }

    /// Token `i` is the indentation of a block whose header asks for one.
    fn opens_block(&self, i: usize) -> bool {
        self.kind(i) == Kind::Indent
            && i >= 2
            && self.kind(i - 1) == Kind::Newline
            && self.text(i - 2) == ":"
            && self.header(i - 2).is_some()
    }

    /// `a, b += 1`
    fn augmented_tuple(&self, i: usize) -> Option<SyntaxErrorInfo> {
        let operator = self.text(i);
        let augmented = operator.len() > 1
            && operator.ends_with('=')
            && !matches!(operator, "==" | "!=" | "<=" | ">=" | ":=");
        let first = self.line_first(i);
        let depth = self.tokens.get(i)?.depth;
        let tuple = (first..i).any(|j| self.text(j) == "," && self.tokens[j].depth == depth);
        if !augmented || !tuple || depth > 0 || is_keyword(self.text(first)) {
            return None;
        }
        Some(self.fail(
            self.start(first),
            self.tokens[i - 1].end,
            "'tuple' is an illegal expression for augmented assignment",
        ))
    }

    /// Mistakes in the parameter list that token `i` is in or right behind.
    fn parameters(&self, i: usize) -> Option<SyntaxErrorInfo> {
        let (open, lambda) = self.parameter_list(i)?;
        let depth = self.tokens.get(open + 1)?.depth;
        let (mut slash, mut star, mut item) = (None, None, open + 1);
        let mut keywords = false;
        for j in open + 1..self.tokens.len() {
            if self.tokens[j].depth > depth {
                continue;
            }
            let word = self.text(j);
            let ends = self.tokens[j].depth < depth
                || word == ")"
                || lambda && word == ":"
                || self.kind(j) == Kind::Newline;
            if ends {
                break;
            }
            let begins = j == item;
            if begins && keywords && word != "," {
                return Some(self.at_token(j, "arguments cannot follow var-keyword argument"));
            }
            match word {
                "," => item = j + 1,
                "(" if begins => {
                    let close = (j + 1..self.tokens.len())
                        .find(|&k| self.tokens[k].depth == depth && self.text(k) == ")")?;
                    let what = if lambda {
                        "Lambda expression"
                    } else {
                        "Function"
                    };
                    return Some(self.fail(
                        self.start(j),
                        self.tokens[close].end,
                        format!("{what} parameters cannot be parenthesized"),
                    ));
                }
                // Alone, it is any other mistake.
                "/" if begins && (j != open + 1 || self.text(j + 1) == ",") => {
                    let msg = if j == open + 1 {
                        "at least one argument must precede /"
                    } else if slash.is_some() {
                        "/ may appear only once"
                    } else if star.is_some() {
                        "/ must be ahead of *"
                    } else if matches!(self.text(j + 1), "*" | "**") {
                        return Some(self.at_token(j + 1, "expected comma between / and *"));
                    } else {
                        slash = Some(j);
                        continue;
                    };
                    return Some(self.at_token(j, msg));
                }
                "*" if begins && star.is_some() => {
                    return Some(self.at_token(j, "* argument may appear only once"));
                }
                "*" if begins => star = Some(j),
                "**" if begins => keywords = true,
                "=" => {
                    // A starred annotation is no mistake of the default's.
                    if (item..j).any(|k| self.text(k) == ":" && self.text(k + 1) == "*") {
                        return None;
                    }
                    let kind = match self.text(item) {
                        "*" => Some("positional"),
                        "**" => Some("keyword"),
                        _ => None,
                    };
                    if let Some(kind) = kind {
                        let msg = format!("var-{kind} argument cannot have default value");
                        return Some(self.at_token(j, msg));
                    }
                    if matches!(self.text(j + 1), "," | ")") || lambda && self.text(j + 1) == ":" {
                        return Some(self.at_token(j, "expected default value expression"));
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The token in front of the first parameter, and whether they are a lambda's.
    fn parameter_list(&self, i: usize) -> Option<(usize, bool)> {
        let first = self.line_first(i);
        let def = first + usize::from(self.text(first) == "async");
        if self.text(def) == "def" && self.text(def + 2) == "(" && i > def + 2 {
            let close = (def + 3..self.tokens.len())
                .find(|&j| self.text(j) == ")" && self.tokens[j].depth == self.tokens[def].depth);
            if close.is_none_or(|c| i <= c) {
                return Some((def + 2, false));
            }
        }
        // The parser may name the place before a lambda, too.
        let end = (i..self.tokens.len())
            .find(|&j| self.kind(j) == Kind::Newline)
            .unwrap_or(self.tokens.len());
        let lambda = (first..end).rev().find(|&j| self.text(j) == "lambda")?;
        Some((lambda, true))
    }

    fn unexpected_indent(&self, i: usize) -> SyntaxErrorInfo {
        let mut e = self.at_token(i, "unexpected indent");
        e.kind = ErrorKind::Indentation;
        e.col = e.col.saturating_sub(1);
        e.end_col = e.col;
        e
    }

    // --- indentation ---------------------------------------------------------------

    fn indentation(&self, i: usize) -> Option<SyntaxErrorInfo> {
        // The block's header ends with ':' and a line end right before.
        let mut j = i;
        if self.kind(j) == Kind::Newline && j > 0 && self.text(j - 1) == ":" {
            j += 1;
        }
        while j < self.tokens.len() && self.kind(j) == Kind::Dedent {
            j += 1;
        }
        let mut back = j;
        while back > 0 && self.kind(back - 1) == Kind::Dedent {
            back -= 1;
        }
        if back >= 2
            && self.kind(back - 1) == Kind::Newline
            && self.text(back - 2) == ":"
            && self.kind(j) != Kind::Indent
            && let Some((what, line)) = self.header(back - 2)
        {
            let mut e = self.at_token(
                j,
                format!("expected an indented block after {what} on line {line}"),
            );
            e.kind = ErrorKind::Indentation;
            return Some(e);
        }
        (self.kind(i) == Kind::Indent).then(|| self.unexpected_indent(i))
    }

    /// What the logical line that ends with token `colon` begins.
    fn header(&self, colon: usize) -> Option<(String, u32)> {
        let first = self.line_first(colon);
        let mut word = first;
        if self.text(word) == "async" {
            word += 1;
        }
        let line = self.source.position(self.start(word)).0;
        let what = match self.text(word) {
            "def" => "function definition".to_owned(),
            "class" => "class definition".to_owned(),
            "except" if self.text(word + 1) == "*" => "'except*' statement".to_owned(),
            w @ ("if" | "elif" | "else" | "for" | "while" | "with" | "try" | "except"
            | "finally" | "match" | "case") => format!("'{w}' statement"),
            _ => return None,
        };
        Some((what, line))
    }

    /// First token of the logical line of token `i`.
    fn line_first(&self, i: usize) -> usize {
        let mut j = i;
        while j > 0
            && !matches!(
                self.kind(j - 1),
                Kind::Newline | Kind::Indent | Kind::Dedent
            )
        {
            j -= 1;
        }
        j
    }

    // --- by the parser's error ---------------------------------------------------------

    fn by_kind(
        &self,
        kind: &ParseErrorType,
        at: usize,
        end: usize,
        i: usize,
    ) -> Option<SyntaxErrorInfo> {
        use ParseErrorType::*;
        let text = self.source.slice(at, end);
        let name = || expression_name(text);
        Some(match kind {
            InvalidAssignmentTarget => self.bad_target(at, end, i)?,
            InvalidNamedAssignmentTarget => self.fail(
                at,
                end,
                format!("cannot use assignment expressions with {}", name()?),
            ),
            InvalidAugmentedAssignmentTarget => self.fail(
                at,
                end,
                format!(
                    "'{}' is an illegal expression for augmented assignment",
                    name().or_else(|| text.contains(',').then_some("tuple"))?
                ),
            ),
            InvalidAnnotatedAssignmentTarget => match name()? {
                w @ ("list" | "tuple") => self.fail(
                    at,
                    end,
                    format!("only single target (not {w}) can be annotated"),
                ),
                _ => self.fail(at, end, "illegal target for annotation"),
            },
            InvalidDeleteTarget => self.fail(at, end, format!("cannot delete {}", name()?)),
            PositionalAfterKeywordArgument => self.at_token(
                self.token_at(end),
                "positional argument follows keyword argument",
            ),
            PositionalAfterKeywordUnpacking => self.at_token(
                self.token_at(end),
                "positional argument follows keyword argument unpacking",
            ),
            InvalidArgumentUnpackingOrder => {
                let from = self.enclosing_open(i).map_or(i, |o| o + 1);
                self.at_token(
                    from,
                    "iterable argument unpacking follows keyword argument unpacking",
                )
            }
            IterableUnpackingInComprehension => self.fail(
                at,
                end,
                "iterable unpacking cannot be used in comprehension",
            ),
            NonDefaultParamAfterDefaultParam => {
                self.fail(at, end, "non-default argument follows default argument")
            }
            ParamAfterVarKeywordParam => {
                self.fail(at, end, "arguments cannot follow var-keyword argument")
            }
            ExpectedKeywordParam => {
                let star = (0..=i).rev().find(|&j| self.text(j) == "*").unwrap_or(i);
                if matches!(self.text(star + 1), "None" | "True" | "False") {
                    return Some(self.at_token(star + 1, "invalid syntax"));
                }
                let lambda = self.text(star.saturating_sub(1)) == "lambda";
                let place = if lambda { star + 1 } else { star };
                self.at_token(place, "named arguments must follow bare *")
            }
            InvalidStarredExpressionUsage if self.in_braces(i) => return None,
            InvalidStarredExpressionUsage if text == "*" => {
                self.at_token(self.token_at(end), "invalid syntax")
            }
            InvalidStarredExpressionUsage if i > 0 && self.text(i - 1) == ":" => {
                self.at_token(i, "invalid syntax")
            }
            InvalidStarredExpressionUsage if self.text(self.token_at(end)) == ":" => {
                self.at_token(self.token_at(end), "invalid syntax")
            }
            InvalidStarredExpressionUsage => {
                let alone =
                    i > 0 && self.text(i - 1) == "(" && self.text(self.token_at(end)) == ")";
                let verb = if alone { "cannot" } else { "can't" };
                self.fail(at, end, format!("{verb} use starred expression here"))
            }
            ExpectedImaginaryNumber => {
                self.fail(at, end, "imaginary number required in complex literal")
            }
            ExpectedRealNumber if self.text(i) == "-" || self.kind(i) != Kind::Number => {
                return None;
            }
            ExpectedRealNumber => self.fail(at, end, "real number required in complex literal"),
            InvalidMatchPatternTarget => {
                if text == "_" && i > 0 && self.text(i - 1) == "**" {
                    self.at_token(i, "invalid syntax")
                } else if text == "_" {
                    self.fail(at, end, "cannot use '_' as a target")
                } else {
                    let last = self.tokens[self.operand_end(i)].end;
                    self.fail(at, end.max(last), "invalid pattern target")
                }
            }
            VarParameterWithDefault => {
                let stars = if self.text(i) == "**" || self.text(i.saturating_sub(2)) == "**" {
                    "keyword"
                } else {
                    "positional"
                };
                let mut eq = i;
                while eq < self.tokens.len() && self.text(eq) != "=" {
                    eq += 1;
                }
                self.at_token(
                    eq,
                    format!("var-{stars} argument cannot have default value"),
                )
            }
            UnparenthesizedGeneratorExpression if self.text(self.line_first(i)) == "class" => {
                let f = (i..self.tokens.len()).find(|&j| self.text(j) == "for")?;
                return Some(self.at_token(f, "invalid syntax"));
            }
            UnparenthesizedGeneratorExpression if self.text(i + 1) == "=" => {
                return Some(self.generator_for_keyword(i));
            }
            UnparenthesizedGeneratorExpression => {
                self.fail(at, end, "Generator expression must be parenthesized")
            }
            OtherError(msg) => return self.by_message(msg, at, end, i),
            Lexical(_) => return self.string_escape(i),
            _ => return None,
        })
    }

    fn by_message(&self, msg: &str, at: usize, end: usize, i: usize) -> Option<SyntaxErrorInfo> {
        let has = |s: &str| msg.contains(s);
        if has("Only one '/'") || has("Only one '/' separator") {
            return Some(self.fail(at, end, "/ may appear only once"));
        }
        if has("Only one '*'") {
            return Some(self.fail(at, end, "* argument may appear only once"));
        }
        if has("must be ahead") || has("'/' parameter must appear before '*'") {
            return Some(self.fail(at, end, "/ must be ahead of *"));
        }
        if has("Trailing comma") {
            let j = self.token_at(end);
            return Some(self.at_token(
                j,
                "trailing comma not allowed without surrounding parentheses",
            ));
        }
        if has("Expected `except` or `finally`") {
            return Some(self.at_token(i, "expected 'except' or 'finally' block"));
        }
        if has("Multiple exception types must be parenthesized") {
            return Some(self.fail(
                at,
                self.header_end(i).unwrap_or(end),
                "multiple exception types must be parenthesized",
            ));
        }
        if has("Cannot have both 'except' and 'except*'") {
            let mut j = self.line_first(i);
            while matches!(self.kind(j), Kind::Dedent | Kind::Newline) {
                j += 1;
            }
            let last = j + usize::from(self.text(j + 1) == "*");
            return Some(self.fail(
                self.start(j),
                self.tokens[last].end,
                "cannot have both 'except' and 'except*' on the same 'try'",
            ));
        }
        if has("bytes can only contain ASCII") || has("ASCII literal characters") {
            let j = self.token_at(self.tokens[i].end);
            return Some(self.at_token(j, "bytes can only contain ASCII literal characters"));
        }
        if has("Bytes literal cannot be mixed") {
            let j = self.token_at(end);
            return Some(self.at_token(j, "cannot mix bytes and nonbytes literals"));
        }
        if has("Only single target") {
            let kind = if has("list") { "list" } else { "tuple" };
            return Some(self.fail(
                at,
                end,
                format!("only single target (not {kind}) can be annotated"),
            ));
        }
        if has("parameter name") {
            let equals = (i..self.tokens.len()).find(|&j| self.text(j) == "=")?;
            return self.equals_in_call(equals);
        }
        if has("one or more exception types") {
            return Some(self.fail(at, end, "expected one or more exception types"));
        }
        if has("pattern target")
            || has("Expected an identifier") && self.text(self.line_first(i)) == "case"
        {
            let last = self.tokens[self.operand_end(i)].end;
            return Some(self.fail(at, end.max(last), "invalid pattern target"));
        }
        if has("ositional patterns cannot follow keyword") {
            return Some(self.fail(at, end, "positional patterns follow keyword patterns"));
        }
        None
    }

    /// Assignment to what cannot be assigned to.
    fn bad_target(&self, at: usize, end: usize, i: usize) -> Option<SyntaxErrorInfo> {
        let name = expression_name(self.source.slice(at, end))?;
        let first = self.line_first(i);
        if name == "yield expression"
            && self.kind(i) == Kind::Name
            && (i == first || self.text(i - 1) == "=")
        {
            return Some(self.fail(at, end, "assignment to yield expression not possible"));
        }
        if name == "starred" {
            return None;
        }
        if name == "comparison" && matches!(self.text(first), "for" | "async") {
            // `for x in y` begins like one; any other is no target at all.
            let depth = self.tokens.get(i)?.depth;
            let operator = (i..self.tokens.len()).find(|&j| {
                self.tokens[j].depth == depth
                    && matches!(
                        self.text(j),
                        "<" | ">" | "==" | ">=" | "<=" | "!=" | "is" | "not"
                    )
            })?;
            return Some(self.at_token(operator, "invalid syntax"));
        }
        let plain = self.fail(at, end, format!("cannot assign to {name}"));
        let mut next = self.token_at(end);
        while self.text(next) == ")" {
            next += 1;
        }
        let tight = !matches!(
            name,
            "None"
                | "True"
                | "False"
                | "comparison"
                | "conditional expression"
                | "lambda"
                | "list"
                | "tuple"
                | "generator expression"
        ) && !self.source.slice(at, end).starts_with("not ");
        let chained =
            i > first && (first..i).any(|j| self.text(j) == "=" && self.tokens[j].depth == 0);
        let in_display =
            self.tokens.get(i).is_some_and(|t| t.depth > 0) && name != "yield expression";
        let in_loop = matches!(self.text(first), "for" | "with" | "async" | "del");
        if tight && !chained && !in_display && !in_loop && self.text(next) == "=" {
            return Some(self.fail(
                at,
                end,
                format!("cannot assign to {name} here. Maybe you meant '==' instead of '='?"),
            ));
        }
        Some(plain)
    }

    // --- by the tokens around --------------------------------------------------------

    fn by_tokens(&self, i: usize, mode: Mode) -> Option<SyntaxErrorInfo> {
        let first = self.line_first(i);
        let word = self.text(first);
        let depth = self.tokens.get(i).map_or(0, |t| t.depth);
        let prev = i.checked_sub(1)?;
        if mode == Mode::Eval && self.kind(i) == Kind::End {
            return None;
        }
        if let Some(e) = self.legacy_statement(first, i) {
            return Some(e);
        }
        // Inside brackets that are no call's, a condition may stand anywhere.
        let display = depth > 0
            && self
                .enclosing_open(i)
                .is_some_and(|o| self.text(o) != "(" || o == 0 || !self.ends_expression(o - 1));
        if self.text(i) == "=" && display {
            return self.equals_in_condition(i);
        }
        if self.text(i) == "=" && matches!(word, "if" | "elif" | "while") && depth == 0 {
            return self.equals_in_condition(i);
        }
        if depth > 0
            && self.text(i) == "="
            && let Some(e) = self.equals_in_call(i)
        {
            return Some(e);
        }
        if self.text(i) == "**"
            && let Some(e) = self.double_starred(i)
        {
            return Some(e);
        }
        if self.text(i) == "for"
            && depth > 0
            && let Some(open) = self.enclosing_open(i)
            && self.is_call(open)
        {
            let start = self.argument_start(i, open);
            if self.kind(start) == Kind::Name && self.text(start + 1) == "=" {
                return Some(self.generator_for_keyword(start));
            }
        }
        if self.text(i) == "for"
            && depth > 0
            && let Some(e) = self.bare_comprehension(i)
        {
            return Some(e);
        }
        if let Some(e) = self.dictionary(i) {
            return Some(e);
        }
        if depth > 0 && self.ends_expression(prev) && self.begins_expression(i) {
            let start = self.expression_start(prev);
            return Some(self.fail(
                self.start(start),
                self.tokens[i].end,
                "invalid syntax. Perhaps you forgot a comma?",
            ));
        }
        if let Some(e) = self.if_without_else(i) {
            return Some(e);
        }
        if depth == 0 {
            let after = if word == "async" { first + 1 } else { first };
            let header = self.text(after);
            let forced = matches!(header, "def" | "try" | "else" | "finally");
            let soft = matches!(
                header,
                "class" | "for" | "if" | "elif" | "while" | "with" | "except" | "match" | "case"
            );
            let named = match header {
                "class" => self.kind(after + 1) == Kind::Name && i > after + 1,
                "def" => self.text(prev) == ")" || self.kind(i) == Kind::Newline && i > after + 2,
                "for" => (after..i).any(|j| self.text(j) == "in") && self.ends_expression(prev),
                _ => i > after,
            };
            if header == "def" && i == after + 2 && self.kind(after + 1) == Kind::Name {
                return Some(self.at_token(i, "expected '('"));
            }
            let here = forced || soft && self.kind(i) == Kind::Newline;
            let complete = self.ends_expression(prev)
                || matches!(self.text(prev), "try" | "else" | "finally" | "except");
            if here && named && complete {
                return Some(self.at_token(i, "expected ':'"));
            }
            if word == "from" && self.kind(i) == Kind::Newline && self.text(prev) == "," {
                return Some(self.at_token(
                    i,
                    "trailing comma not allowed without surrounding parentheses",
                ));
            }
        }
        None
    }

    /// `print x` and `exec x`, if what follows is an expression.
    fn legacy_statement(&self, first: usize, i: usize) -> Option<SyntaxErrorInfo> {
        let at = (first..i)
            .rev()
            .find(|&j| self.kind(j) == Kind::Name && matches!(self.text(j), "print" | "exec"))?;
        let depth = self.tokens[at].depth;
        if !self.begins_expression(at + 1) && !matches!(self.text(at + 1), "-" | "not" | "[") {
            return None;
        }
        let after = at > first && self.text(at - 1) == ".";
        let rest = (at + 1..self.tokens.len()).take_while(|&j| {
            let t = &self.tokens[j];
            t.depth >= depth
                && t.kind != Kind::Newline
                && t.kind != Kind::End
                && self.text(j) != ";"
                && !(t.depth == depth && matches!(self.text(j), ")" | "]" | "}"))
        });
        let ends = [rest.last(), Some(self.operand_end(at + 1))];
        let end = ends.into_iter().flatten().find(|&e| {
            let text = self.source.slice(self.start(at + 1), self.tokens[e].end);
            parse_expression(&format!("({text})")).is_ok()
        })?;
        let w = self.text(at);
        (!after).then(|| {
            self.fail(
                self.start(at),
                self.tokens[end].end,
                format!("Missing parentheses in call to '{w}'. Did you mean {w}(...)?"),
            )
        })
    }

    /// Last token of the operand (of comparisons and what binds less) that begins
    /// with token `i`.
    fn operand_end(&self, i: usize) -> usize {
        let depth = self.tokens.get(i).map_or(0, |t| t.depth);
        let mut j = i;
        while j < self.tokens.len() {
            let t = &self.tokens[j];
            let ends = t.depth == depth && ends_operand(self.text(j)) && !self.closes(j, i);
            if ends || t.depth < depth || matches!(t.kind, Kind::Newline | Kind::End) {
                break;
            }
            j += 1;
        }
        j.saturating_sub(1).max(i)
    }

    /// Token `j` closes a bracket that was opened at token `i` or behind.
    fn closes(&self, j: usize, i: usize) -> bool {
        matches!(self.text(j), ")" | "]" | "}")
            && (i..j).rev().any(|k| {
                self.tokens[k].depth == self.tokens[j].depth
                    && matches!(self.text(k), "(" | "[" | "{")
            })
    }

    fn equals_in_condition(&self, i: usize) -> Option<SyntaxErrorInfo> {
        let start = self.expression_start(i.checked_sub(1)?);
        let (from, to) = (self.start(start), self.tokens[i - 1].end);
        let name = expression_name(self.source.slice(from, to))?;
        Some(if name == "name" {
            let end = self.operand_end(i + 1);
            if matches!(self.text(end + 1), "=" | ":=") {
                return None;
            }
            self.fail(
                from,
                self.tokens[end].end,
                "invalid syntax. Maybe you meant '==' or ':=' instead of '='?",
            )
        } else {
            self.fail(
                from,
                to,
                format!("cannot assign to {name} here. Maybe you meant '==' instead of '='?"),
            )
        })
    }

    fn equals_in_call(&self, i: usize) -> Option<SyntaxErrorInfo> {
        let open = self.enclosing_open(i)?;
        if self.text(open) != "(" || open == 0 || !self.ends_expression(open - 1) {
            return None;
        }
        let mut start = self.argument_start(i, open);
        let (from, to) = (self.start(start), self.tokens[i - 1].end);
        let name = expression_name(self.source.slice(from, to));
        if name == Some("name") && start + 1 == i {
            // A generator without parentheses is no argument's value.
            let next = self.operand_end(i + 1) + 1;
            return matches!(self.text(next), "for" | "async")
                .then(|| self.equals_in_condition(i))
                .flatten();
        }
        while self.text(start) == "(" && matches!(name, Some("name" | "attribute" | "subscript")) {
            start += 1;
        }
        let from = self.start(start);
        if let Some(w @ ("None" | "True" | "False")) = name {
            return Some(self.fail(from, self.tokens[i].end, format!("cannot assign to {w}")));
        }
        Some(self.fail(
            from,
            self.tokens[i].end,
            "expression cannot contain assignment, perhaps you meant \"==\"?",
        ))
    }

    /// Token `open` begins a call's arguments.
    fn is_call(&self, open: usize) -> bool {
        self.text(open) == "(" && open > 0 && self.ends_expression(open - 1)
    }

    /// `f(a=x for x in y)`: `a` is token `name`.
    fn generator_for_keyword(&self, name: usize) -> SyntaxErrorInfo {
        self.fail(
            self.start(name),
            self.tokens[name + 1].end,
            "invalid syntax. Maybe you meant '==' or ':=' instead of '='?",
        )
    }

    /// `(**a)` with the stars at token `i`.
    fn double_starred(&self, i: usize) -> Option<SyntaxErrorInfo> {
        let open = i.checked_sub(1)?;
        if self.text(open) != "(" || self.is_call(open) {
            return None;
        }
        let end = self.operand_end(i + 1);
        let text = self.source.slice(self.start(i + 1), self.tokens[end].end);
        let whole = self.text(end + 1) == ")" && parse_expression(text).is_ok();
        whole.then(|| self.at_token(i, "cannot use double starred expression here"))
    }

    /// First token of the argument that token `i` is in.
    fn argument_start(&self, i: usize, open: usize) -> usize {
        let depth = self.inner_depth(i);
        let mut j = i;
        while j > open + 1 {
            let t = j - 1;
            if self.tokens[t].depth == depth && self.text(t) == "," {
                break;
            }
            j -= 1;
        }
        j
    }

    fn in_braces(&self, i: usize) -> bool {
        self.enclosing_open(i).is_some_and(|o| self.text(o) == "{")
    }

    /// Brackets around token `i`; those it closes count.
    fn inner_depth(&self, i: usize) -> usize {
        let closes = matches!(self.text(i), ")" | "]" | "}");
        self.tokens.get(i).map_or(0, |t| t.depth) + usize::from(closes)
    }

    /// The innermost bracket around token `i`.
    fn enclosing_open(&self, i: usize) -> Option<usize> {
        let depth = self.inner_depth(i);
        (0..i)
            .rev()
            .find(|&j| self.tokens[j].depth < depth && matches!(self.text(j), "(" | "[" | "{"))
    }

    fn bare_comprehension(&self, i: usize) -> Option<SyntaxErrorInfo> {
        let open = self.enclosing_open(i)?;
        if self.text(self.line_first(i)) == "class" {
            return None;
        }
        let depth = self.tokens[i].depth;
        let comma = (open + 1..i).any(|j| self.tokens[j].depth == depth && self.text(j) == ",");
        if !comma {
            return None;
        }
        if self.text(open) == "(" {
            if open == 0 || !self.ends_expression(open - 1) {
                return Some(self.fail(
                    self.start(open + 1),
                    self.tokens[i - 1].end,
                    "did you forget parentheses around the comprehension target?",
                ));
            }
            let start = self.argument_start(i, open);
            return Some(self.fail(
                self.start(start),
                self.tokens[i].end,
                "Generator expression must be parenthesized",
            ));
        }
        if (open + 1..i).any(|j| self.tokens[j].depth == depth && self.text(j) == ":") {
            return None;
        }
        Some(self.fail(
            self.start(open + 1),
            self.tokens[i - 1].end,
            "did you forget parentheses around the comprehension target?",
        ))
    }

    fn dictionary(&self, i: usize) -> Option<SyntaxErrorInfo> {
        let open = self.enclosing_open(i)?;
        if self.text(open) != "{" {
            return None;
        }
        let depth = self.inner_depth(i);
        let start = self.argument_start(i, open);
        let has_colon = |from: usize, to: usize| {
            (from..to).any(|j| self.tokens[j].depth == depth && self.text(j) == ":")
        };
        let prev = i - 1;
        if self.text(prev) == ":" && matches!(self.text(i), "}" | ",") {
            return Some(self.at_token(prev, "expression expected after dictionary key and ':'"));
        }
        if self.text(prev) == ":" && self.text(i) == "*" {
            return Some(self.fail(
                self.start(i),
                self.tokens[self.operand_end(i + 1)].end,
                "cannot use a starred expression in a dictionary value",
            ));
        }
        let item_done = matches!(self.text(i), "}" | ",") || self.text(i) == "for";
        if self.text(i) == "for" && has_colon(open + 1, start) && !has_colon(start, i) {
            let mut e = self.at_token(prev, "':' expected after dictionary key");
            e.end_col = 0;
            return Some(e);
        }
        if item_done && start > open + 1 && has_colon(open + 1, start) && !has_colon(start, i) {
            let mut e = self.at_token(prev, "':' expected after dictionary key");
            e.end_col = 0;
            return Some(e);
        }
        None
    }

    fn if_without_else(&self, i: usize) -> Option<SyntaxErrorInfo> {
        let depth = self.inner_depth(i);
        let first = self.line_first(i);
        if matches!(self.text(i), ":" | "else") {
            return None;
        }
        let mut j = i;
        while j > first {
            j -= 1;
            let t = &self.tokens[j];
            if t.depth < depth
                || t.depth == depth && matches!(self.text(j), "," | "=" | ":" | "for" | "else")
            {
                return None;
            }
            if t.depth == depth && self.text(j) == "if" {
                // A case's guard has no `else`.
                if depth == 0 && self.text(first) == "case" {
                    return None;
                }
                if j == first || !self.ends_expression(j - 1) || j + 1 == i {
                    return None;
                }
                let start = self.expression_start(j - 1);
                return Some(self.fail(
                    self.start(start),
                    self.tokens[i].start,
                    "expected 'else' after 'if' expression",
                ));
            }
        }
        None
    }

    /// First token of the operand chain that ends with token `i`.
    fn expression_start(&self, i: usize) -> usize {
        // A closing bracket has the depth of what is around its pair.
        let depth = self.tokens[i].depth;
        let mut j = i;
        while j > 0 {
            let t = &self.tokens[j - 1];
            let same = t.depth == depth;
            let opens = matches!(self.text(j - 1), "(" | "[" | "{");
            let stop = t.depth < depth
                || same
                    && (matches!(
                        self.text(j - 1),
                        "," | "="
                            | ":"
                            | ":="
                            | ";"
                            | "if"
                            | "elif"
                            | "else"
                            | "while"
                            | "for"
                            | "lambda"
                            | "yield"
                            | "return"
                            | "del"
                            | "assert"
                            | "raise"
                            | "from"
                            | "import"
                            | "with"
                            | "as"
                    ) || matches!(t.kind, Kind::Newline | Kind::Indent | Kind::Dedent))
                || opens && t.depth + 1 == depth;
            if stop {
                break;
            }
            j -= 1;
        }
        j
    }

    fn begins_expression(&self, i: usize) -> bool {
        match self.kind(i) {
            Kind::Number | Kind::Str => true,
            Kind::Name => {
                !is_keyword(self.text(i))
                    || matches!(self.text(i), "None" | "True" | "False" | "lambda" | "await")
            }
            Kind::Op => matches!(self.text(i), "{" | "~" | "..."),
            _ => false,
        }
    }

    fn ends_expression(&self, i: usize) -> bool {
        match self.kind(i) {
            Kind::Number | Kind::Str => true,
            Kind::Name => {
                !is_keyword(self.text(i)) || matches!(self.text(i), "None" | "True" | "False")
            }
            Kind::Op => matches!(self.text(i), ")" | "]" | "}" | "..."),
            _ => false,
        }
    }

    // --- strings -------------------------------------------------------------------------

    /// The error of the f-string at `at`, and whether it is in one of its fields.
    fn fstring_at(&self, at: usize) -> Option<(SyntaxErrorInfo, bool)> {
        let t = self
            .tokens
            .iter()
            .find(|t| t.kind == Kind::Str && t.start <= at && at <= t.end)?;
        let text = self.source.slice(t.start, t.end);
        let quote = text.find(['"', '\''])?;
        let prefix = text[..quote].to_ascii_lowercase();
        if !prefix.contains('f') {
            return None;
        }
        let open = if text[quote..].starts_with("\"\"\"") || text[quote..].starts_with("'''") {
            3
        } else {
            1
        };
        let body = text.get(quote + open..text.len() - open)?;
        Some(match fstring_error(body, prefix.contains('r'))? {
            FstringError::Whole(msg) => (self.at_token(self.token_at(t.end), msg), false),
            FstringError::Field { lines, mut error } => {
                let line = self.source.position(t.start).0 + lines;
                error.line += line - 1;
                error.end_line += line - 1;
                (error, true)
            }
        })
    }

    /// A bad escape in a plain string, as the codec words it.
    fn string_escape(&self, i: usize) -> Option<SyntaxErrorInfo> {
        let t = self.tokens.get(i).filter(|t| t.kind == Kind::Str)?;
        let text = self.source.slice(t.start, t.end);
        let quote = text.find(['"', '\''])?;
        let bytes = text[..quote].to_ascii_lowercase().contains('b');
        let open = if text[quote..].starts_with("\"\"\"") || text[quote..].starts_with("'''") {
            3
        } else {
            1
        };
        let body = text.get(quote + open..text.len().checked_sub(open)?)?;
        let msg = escape_error(body, bytes)?;
        Some(self.at_token(self.token_at(t.end), msg))
    }
}

/// A token that no operand of a comparison goes beyond.
fn ends_operand(word: &str) -> bool {
    matches!(
        word,
        ")" | "]"
            | "}"
            | ","
            | ":"
            | ";"
            | "="
            | ":="
            | "if"
            | "else"
            | "for"
            | "async"
            | "and"
            | "or"
            | "not"
            | "in"
            | "is"
            | "<"
            | ">"
            | "=="
            | "<="
            | ">="
            | "!="
            | "as"
    )
}

/// CPython's word for the kind of an expression.
fn expression_name(text: &str) -> Option<&'static str> {
    if text.starts_with('*') {
        return Some("starred");
    }
    let parsed = parse_expression(text)
        .or_else(|_| parse_expression(&format!("({text})")))
        .ok()?;
    Some(match parsed.expr() {
        Expr::Attribute(_) => "attribute",
        Expr::Subscript(_) => "subscript",
        Expr::Starred(_) => "starred",
        Expr::Name(_) => "name",
        Expr::List(_) => "list",
        Expr::Tuple(_) => "tuple",
        Expr::Lambda(_) => "lambda",
        Expr::Call(_) => "function call",
        Expr::BoolOp(_) | Expr::BinOp(_) | Expr::UnaryOp(_) => "expression",
        Expr::Generator(_) => "generator expression",
        Expr::Yield(_) | Expr::YieldFrom(_) => "yield expression",
        Expr::Await(_) => "await expression",
        Expr::ListComp(_) => "list comprehension",
        Expr::SetComp(_) => "set comprehension",
        Expr::DictComp(_) => "dict comprehension",
        Expr::Dict(_) => "dict literal",
        Expr::Set(_) => "set display",
        Expr::FString(_) | Expr::TString(_) => "f-string expression",
        Expr::NoneLiteral(_) => "None",
        Expr::BooleanLiteral(b) if b.value => "True",
        Expr::BooleanLiteral(_) => "False",
        Expr::EllipsisLiteral(_) => "ellipsis",
        Expr::Compare(_) => "comparison",
        Expr::If(_) => "conditional expression",
        Expr::Named(_) => "named expression",
        _ => "literal",
    })
}

fn is_keyword(w: &str) -> bool {
    matches!(
        w,
        "False"
            | "None"
            | "True"
            | "and"
            | "as"
            | "assert"
            | "async"
            | "await"
            | "break"
            | "class"
            | "continue"
            | "def"
            | "del"
            | "elif"
            | "else"
            | "except"
            | "finally"
            | "for"
            | "from"
            | "global"
            | "if"
            | "import"
            | "in"
            | "is"
            | "lambda"
            | "nonlocal"
            | "not"
            | "or"
            | "pass"
            | "raise"
            | "return"
            | "try"
            | "while"
            | "with"
            | "yield"
    )
}
