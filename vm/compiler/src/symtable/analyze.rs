//! Second walk: from uses to places.

use super::{Block, BlockId, BlockKind, Name, Place, Symbol, SymbolTable, uses};
use pyrite_front::{ErrorKind, Source, SyntaxErrorInfo};
use std::collections::HashSet;

type Set = HashSet<Name>;

pub(super) fn analyze(table: &mut SymbolTable, source: &Source<'_>) -> Result<(), SyntaxErrorInfo> {
    let mut global = Set::new();
    let mut free = Set::new();
    block(table, BlockId(0), None, &mut free, &mut global, source)
}

/// Analyzes a block and its children. `bound` holds the names that enclosing
/// functions bind, `global` those that enclosing blocks declared global; the
/// block's free names are added to `free`.
fn block(
    table: &mut SymbolTable,
    id: BlockId,
    mut bound: Option<Set>,
    free: &mut Set,
    global: &mut Set,
    source: &Source<'_>,
) -> Result<(), SyntaxErrorInfo> {
    let at = id.0 as usize;
    let kind = table.blocks[at].kind;
    let mut new_bound = Set::new();
    let mut new_global = Set::new();
    let mut new_free = Set::new();
    let mut local = Set::new();
    if kind == BlockKind::Class {
        new_global.extend(global.iter().cloned());
        if let Some(b) = &bound {
            new_bound.extend(b.iter().cloned());
        }
    }
    let mut symbols = std::mem::take(&mut table.blocks[at].symbols);
    for s in &mut symbols {
        let b = &table.blocks[at];
        name(b, s, bound.as_mut(), &mut local, free, global, source)?;
    }
    if kind == BlockKind::Class {
        new_bound.insert("__class__".into());
    } else {
        if kind.is_function() {
            new_bound.extend(local.iter().cloned());
        }
        if let Some(b) = &bound {
            new_bound.extend(b.iter().cloned());
        }
        new_global.extend(global.iter().cloned());
    }
    for child in table.blocks[at].children.clone() {
        let mut child_free = Set::new();
        let mut child_global = new_global.clone();
        let child_bound = Some(new_bound.clone());
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || {
            block(
                table,
                child,
                child_bound,
                &mut child_free,
                &mut child_global,
                source,
            )
        })?;
        new_free.extend(child_free);
    }
    if kind.is_function() {
        for s in &mut symbols {
            if s.place == Place::Local && new_free.remove(&s.name) {
                s.place = Place::Cell;
            }
        }
    } else if kind == BlockKind::Class && new_free.remove("__class__") {
        table.blocks[at].needs_class_cell = true;
    }
    let b = &mut table.blocks[at];
    b.symbols = symbols;
    let mut passed_up: Vec<&Name> = new_free.iter().collect();
    passed_up.sort_unstable();
    for n in passed_up {
        if let Some(&i) = b.index.get(n) {
            let s = &mut b.symbols[i];
            if kind == BlockKind::Class && s.flags & (uses::BOUND | uses::GLOBAL) != 0 {
                s.flags |= uses::FREE_CLASS;
            }
        } else if bound.as_ref().is_some_and(|set| set.contains(n)) {
            b.index.insert(n.clone(), b.symbols.len());
            b.symbols.push(Symbol {
                name: n.clone(),
                flags: 0,
                place: Place::Free,
            });
        }
    }
    free.extend(new_free);
    Ok(())
}

fn name(
    block: &Block,
    s: &mut Symbol,
    bound: Option<&mut Set>,
    local: &mut Set,
    free: &mut Set,
    global: &mut Set,
    source: &Source<'_>,
) -> Result<(), SyntaxErrorInfo> {
    let error = |msg: String| {
        let (start, end) = block
            .directives
            .iter()
            .find(|d| d.0 == s.name)
            .map_or((block.start, block.end), |d| (d.1, d.2));
        Err(SyntaxErrorInfo::at(
            source,
            ErrorKind::Syntax,
            start,
            end,
            msg,
        ))
    };
    let n = &s.name;
    if s.flags & uses::GLOBAL != 0 {
        if s.flags & uses::NONLOCAL != 0 {
            return error(format!("name '{n}' is nonlocal and global"));
        }
        global.insert(n.clone());
        if let Some(b) = bound {
            b.remove(n);
        }
        s.place = Place::GlobalExplicit;
    } else if s.flags & uses::NONLOCAL != 0 {
        let Some(b) = bound else {
            return error("nonlocal declaration not allowed at module level".into());
        };
        if !b.contains(n) {
            return error(format!("no binding for nonlocal '{n}' found"));
        }
        free.insert(n.clone());
        s.place = Place::Free;
    } else if s.flags & uses::BOUND != 0 {
        local.insert(n.clone());
        global.remove(n);
        s.place = Place::Local;
    } else if bound.is_some_and(|b| b.contains(n)) {
        free.insert(n.clone());
        s.place = Place::Free;
    } else {
        s.place = Place::GlobalImplicit;
    }
    Ok(())
}
