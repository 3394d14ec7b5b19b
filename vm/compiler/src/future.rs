//! `from __future__ import ...`.

use pyrite_front::{ErrorKind, Source, SyntaxErrorInfo, Tree};
use ruff_python_ast::{Expr, Mod, Stmt};
use ruff_text_size::Ranged;

/// Features that change how the rest is compiled.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Features {
    pub(crate) annotations: bool,
}

/// Reads the imports at the start of the program.
///
/// # Errors
/// An unknown feature, or such an import behind other statements.
pub(crate) fn features(tree: &Tree, source: &Source<'_>) -> Result<Features, SyntaxErrorInfo> {
    let mut found = Features::default();
    let Mod::Module(m) = tree.root() else {
        return Ok(found);
    };
    let fail = |s: &dyn Ranged, msg: String| {
        let r = s.range();
        Err(SyntaxErrorInfo::at(
            source,
            ErrorKind::Syntax,
            r.start().to_usize(),
            r.end().to_usize(),
            msg,
        ))
    };
    let mut done = false;
    let mut last_line = 0;
    for (i, s) in m.body.iter().enumerate() {
        match s {
            Stmt::ImportFrom(f)
                if f.level == 0 && f.module.as_ref().is_some_and(|m| m == "__future__") =>
            {
                if done {
                    let e = fail(
                        s,
                        "from __future__ imports must occur at the beginning of the file".into(),
                    );
                    // CPython finds it sooner on the line of another import, and
                    // counts columns from 0 there.
                    let line = |at: usize| source.position(at).0;
                    let same = line(last_line) == line(s.range().start().to_usize());
                    return e.map_err(|mut e| {
                        e.col -= u32::from(same);
                        e
                    });
                }
                last_line = s.range().start().to_usize();
                for a in &f.names {
                    match a.name.as_str() {
                        "nested_scopes" | "generators" | "division" | "absolute_import"
                        | "with_statement" | "print_function" | "unicode_literals"
                        | "generator_stop" | "barry_as_FLUFL" => {}
                        "annotations" => found.annotations = true,
                        "braces" => return fail(s, "not a chance".into()),
                        other => {
                            return fail(s, format!("future feature {other} is not defined"));
                        }
                    }
                }
            }
            Stmt::Expr(e) if i == 0 && matches!(&*e.value, Expr::StringLiteral(_)) => {}
            _ => done = true,
        }
    }
    Ok(found)
}
