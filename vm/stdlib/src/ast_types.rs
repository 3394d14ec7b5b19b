//! The `_ast` module: classes of syntax tree nodes.
//!
//! [`GRAMMAR`] is the one list of nodes; a class's `_fields`, `_attributes`,
//! `__match_args__`, defaults and docstring come from its row. A row
//! `Return(expr? value)` makes a class whose `value` is None unless given.

use crate::{module, set};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, PyType, PyValueSub};
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};

/// Attributes of nodes with a place, and of those that are in one.
const PLACE: &str = "int lineno, int col_offset, int? end_lineno, int? end_col_offset";

/// Sums (with their constructors and attributes) and products. `?`: may be left
/// out; `*`: a list.
const GRAMMAR: &[(&str, &[&str], &str)] = &[
    (
        "mod",
        &[
            "Module(stmt* body, type_ignore* type_ignores)",
            "Interactive(stmt* body)",
            "Expression(expr body)",
            "FunctionType(expr* argtypes, expr returns)",
        ],
        "",
    ),
    (
        "stmt",
        &[
            "FunctionDef(identifier name, arguments args, stmt* body, expr* decorator_list, expr? returns, string? type_comment)",
            "AsyncFunctionDef(identifier name, arguments args, stmt* body, expr* decorator_list, expr? returns, string? type_comment)",
            "ClassDef(identifier name, expr* bases, keyword* keywords, stmt* body, expr* decorator_list)",
            "Return(expr? value)",
            "Delete(expr* targets)",
            "Assign(expr* targets, expr value, string? type_comment)",
            "AugAssign(expr target, operator op, expr value)",
            "AnnAssign(expr target, expr annotation, expr? value, int simple)",
            "For(expr target, expr iter, stmt* body, stmt* orelse, string? type_comment)",
            "AsyncFor(expr target, expr iter, stmt* body, stmt* orelse, string? type_comment)",
            "While(expr test, stmt* body, stmt* orelse)",
            "If(expr test, stmt* body, stmt* orelse)",
            "With(withitem* items, stmt* body, string? type_comment)",
            "AsyncWith(withitem* items, stmt* body, string? type_comment)",
            "Match(expr subject, match_case* cases)",
            "Raise(expr? exc, expr? cause)",
            "Try(stmt* body, excepthandler* handlers, stmt* orelse, stmt* finalbody)",
            "TryStar(stmt* body, excepthandler* handlers, stmt* orelse, stmt* finalbody)",
            "Assert(expr test, expr? msg)",
            "Import(alias* names)",
            "ImportFrom(identifier? module, alias* names, int? level)",
            "Global(identifier* names)",
            "Nonlocal(identifier* names)",
            "Expr(expr value)",
            "Pass",
            "Break",
            "Continue",
        ],
        PLACE,
    ),
    (
        "expr",
        &[
            "BoolOp(boolop op, expr* values)",
            "NamedExpr(expr target, expr value)",
            "BinOp(expr left, operator op, expr right)",
            "UnaryOp(unaryop op, expr operand)",
            "Lambda(arguments args, expr body)",
            "IfExp(expr test, expr body, expr orelse)",
            "Dict(expr* keys, expr* values)",
            "Set(expr* elts)",
            "ListComp(expr elt, comprehension* generators)",
            "SetComp(expr elt, comprehension* generators)",
            "DictComp(expr key, expr value, comprehension* generators)",
            "GeneratorExp(expr elt, comprehension* generators)",
            "Await(expr value)",
            "Yield(expr? value)",
            "YieldFrom(expr value)",
            "Compare(expr left, cmpop* ops, expr* comparators)",
            "Call(expr func, expr* args, keyword* keywords)",
            "FormattedValue(expr value, int conversion, expr? format_spec)",
            "JoinedStr(expr* values)",
            "Constant(constant value, string? kind)",
            "Attribute(expr value, identifier attr, expr_context ctx)",
            "Subscript(expr value, expr slice, expr_context ctx)",
            "Starred(expr value, expr_context ctx)",
            "Name(identifier id, expr_context ctx)",
            "List(expr* elts, expr_context ctx)",
            "Tuple(expr* elts, expr_context ctx)",
            "Slice(expr? lower, expr? upper, expr? step)",
        ],
        PLACE,
    ),
    ("expr_context", &["Load", "Store", "Del"], ""),
    ("boolop", &["And", "Or"], ""),
    (
        "operator",
        &[
            "Add", "Sub", "Mult", "MatMult", "Div", "Mod", "Pow", "LShift", "RShift", "BitOr",
            "BitXor", "BitAnd", "FloorDiv",
        ],
        "",
    ),
    ("unaryop", &["Invert", "Not", "UAdd", "USub"], ""),
    (
        "cmpop",
        &[
            "Eq", "NotEq", "Lt", "LtE", "Gt", "GtE", "Is", "IsNot", "In", "NotIn",
        ],
        "",
    ),
    (
        "comprehension",
        &["comprehension(expr target, expr iter, expr* ifs, int is_async)"],
        "",
    ),
    (
        "excepthandler",
        &["ExceptHandler(expr? type, identifier? name, stmt* body)"],
        PLACE,
    ),
    (
        "arguments",
        &[
            "arguments(arg* posonlyargs, arg* args, arg? vararg, arg* kwonlyargs, expr* kw_defaults, arg? kwarg, expr* defaults)",
        ],
        "",
    ),
    (
        "arg",
        &["arg(identifier arg, expr? annotation, string? type_comment)"],
        PLACE,
    ),
    ("keyword", &["keyword(identifier? arg, expr value)"], PLACE),
    (
        "alias",
        &["alias(identifier name, identifier? asname)"],
        PLACE,
    ),
    (
        "withitem",
        &["withitem(expr context_expr, expr? optional_vars)"],
        "",
    ),
    (
        "match_case",
        &["match_case(pattern pattern, expr? guard, stmt* body)"],
        "",
    ),
    (
        "pattern",
        &[
            "MatchValue(expr value)",
            "MatchSingleton(constant value)",
            "MatchSequence(pattern* patterns)",
            "MatchMapping(expr* keys, pattern* patterns, identifier? rest)",
            "MatchClass(expr cls, pattern* patterns, identifier* kwd_attrs, pattern* kwd_patterns)",
            "MatchStar(identifier? name)",
            "MatchAs(pattern? pattern, identifier? name)",
            "MatchOr(pattern* patterns)",
        ],
        "int lineno, int col_offset, int end_lineno, int end_col_offset",
    ),
    ("type_ignore", &["TypeIgnore(int lineno, string tag)"], ""),
];

static METHODS: &[NativeDef] = &[
    def(
        "__init__",
        "($self, /, *args, **kwargs)",
        effects::ANY,
        init,
    ),
    def("__reduce__", "($self, /)", effects::ANY, |vm, a| {
        let d = vm.instance_dict(a[0]);
        let (class, empty) = (vm.class_of(a[0]).value(), vm.empty_tuple);
        Ok(vm.new_tuple(&[class, empty, d]))
    }),
];

/// One field of a row.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// What it holds: a sum or product, or `identifier`, `int`, `string`, `constant`.
    pub kind: &'static str,
    pub name: &'static str,
    pub optional: bool,
    pub list: bool,
}

/// A row, taken apart.
#[derive(Clone, Debug)]
pub struct Node {
    pub name: &'static str,
    /// The sum it belongs to (its own name for products).
    pub sum: &'static str,
    pub fields: Vec<Field>,
}

fn fields_of(text: &'static str) -> Vec<Field> {
    text.split(", ")
        .filter_map(|f| f.split_once(' '))
        .map(|(kind, name)| Field {
            kind: kind.trim_end_matches(['?', '*']),
            name,
            optional: kind.ends_with('?'),
            list: kind.ends_with('*'),
        })
        .collect()
}

fn parse_row(sum: &'static str, row: &'static str) -> Node {
    let (name, rest) = row.split_once('(').unwrap_or((row, ""));
    Node {
        name,
        sum,
        fields: fields_of(rest.trim_end_matches(')')),
    }
}

/// All nodes by name.
pub fn nodes() -> &'static std::collections::HashMap<&'static str, Node> {
    static NODES: std::sync::OnceLock<std::collections::HashMap<&'static str, Node>> =
        std::sync::OnceLock::new();
    NODES.get_or_init(|| {
        GRAMMAR
            .iter()
            .flat_map(|(sum, rows, _)| rows.iter().map(|r| parse_row(sum, r)))
            .map(|n| (n.name, n))
            .collect()
    })
}

/// True if nodes of a sum have a place in the source.
pub fn has_place(sum: &str) -> bool {
    GRAMMAR.iter().any(|(s, _, a)| *s == sum && !a.is_empty())
}

fn init(vm: &mut Vm, a: &[Value]) -> R {
    let (this, args, kwargs) = (a[0], a[1], a[2]);
    let key = vm.intern("_fields");
    let class = vm.class_of(this);
    let fields = vm.lookup(class, key);
    let fields = if fields.is_null() {
        vm.empty_tuple
    } else {
        // Any sequence will do.
        let it = vm.get_iter(fields)?;
        let l = vm.new_list(&[]);
        while let Some(f) = vm.iter_next(it)? {
            vm.list_append(l, f);
        }
        vm.list_to_tuple(l)
    };
    let (given, n) = (vm.tuple_len(args), vm.tuple_len(fields));
    if given > n {
        let m = format!(
            "{} constructor takes at most {n} positional argument{}",
            vm.type_name(class),
            if n == 1 { "" } else { "s" }
        );
        return Err(vm.type_error(&m));
    }
    for i in 0..given {
        let name = vm.attr_name(vm.tuple_get(fields, i))?;
        vm.setattr(this, name, vm.tuple_get(args, i))?;
    }
    let mut pos = 0;
    while let Some((k, v)) = vm.dict_next(kwargs, &mut pos) {
        for i in 0..given {
            if vm.eq(vm.tuple_get(fields, i), k)? {
                let m = format!(
                    "{} got multiple values for argument {}",
                    vm.type_name(class),
                    vm.repr_string(k)?
                );
                return Err(vm.type_error(&m));
            }
        }
        vm.setattr(this, k, v)?;
    }
    Ok(vm.none)
}

fn names(vm: &mut Vm, fields: &[Field]) -> Value {
    let t = vm.new_tuple_uninit(fields.len());
    for (i, f) in fields.iter().enumerate() {
        let n = vm.intern(f.name);
        vm.tuple_init(t, i, n);
    }
    t
}

/// Makes a class as a class statement would.
fn class(
    vm: &mut Vm,
    m: Value,
    name: &str,
    base: Value,
    doc: &str,
    fields: Option<&[Field]>,
    attributes: Option<&[Field]>,
) -> R {
    let d = vm.new_dict();
    let put = |vm: &mut Vm, k: &str, v: Value| {
        let k = vm.intern(k);
        vm.dict_set_str(d, k, v);
    };
    let module = vm.intern("ast");
    put(vm, "__module__", module);
    let doc = vm.new_str(doc);
    put(vm, "__doc__", doc);
    if let Some(fields) = fields {
        let t = names(vm, fields);
        put(vm, "_fields", t);
        put(vm, "__match_args__", t);
    }
    if let Some(attributes) = attributes {
        let t = names(vm, attributes);
        put(vm, "_attributes", t);
    }
    let none = vm.none;
    for f in fields
        .unwrap_or(&[])
        .iter()
        .chain(attributes.unwrap_or(&[]))
    {
        if f.optional {
            put(vm, f.name, none);
        }
    }
    let (n, bases) = (vm.new_str(name), vm.new_tuple(&[base]));
    let type_ = vm.types.type_.value();
    let c = vm.call(type_, &[n, bases, d])?;
    set(vm, m, name, c);
    Ok(c)
}

/// What a sum's docstring shows: its rows, one below the other.
fn sum_doc(sum: &str, rows: &[&str]) -> String {
    if !rows.iter().any(|r| r.contains('(')) && sum != "stmt" {
        return format!("{sum} = {}", rows.join(" | "));
    }
    let indent = " ".repeat(sum.len() + 1);
    format!("{sum} = {}", rows.join(&format!("\n{indent}| ")))
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let m = module(vm, "_ast", "", &[]);
    let object = vm.types.object;
    let root = vm.native_type(&TypeDef {
        module: "ast",
        base: Some(object),
        layout: Layout::Object,
        words: 1,
        has_dict: true,
        base_type: true,
        methods: METHODS,
        ..TypeDef::of::<PyValueSub>("AST", Layout::Object)
    });
    // Programs may set its attributes, as they may on CPython.
    vm.type_data(root).immutable = false;
    let empty = vm.empty_tuple;
    for k in ["_fields", "_attributes", "__match_args__"] {
        vm.type_set(root, k, empty);
    }
    set(vm, m, "AST", root.value());
    for (sum, rows, attributes) in GRAMMAR {
        let attributes = fields_of(attributes);
        let product = rows.len() == 1 && rows[0].split('(').next() == Some(*sum);
        if product {
            let n = parse_row(sum, rows[0]);
            class(
                vm,
                m,
                sum,
                root.value(),
                rows[0],
                Some(&n.fields),
                Some(&attributes),
            )?;
            continue;
        }
        let base = class(
            vm,
            m,
            sum,
            root.value(),
            &sum_doc(sum, rows),
            None,
            Some(&attributes),
        )?;
        for row in *rows {
            let n = parse_row(sum, row);
            let c = class(vm, m, n.name, base, row, Some(&n.fields), None)?;
            if n.fields.is_empty() && attributes.is_empty() {
                // One instance serves all trees.
                let one = vm.new_instance(Gc::<PyType>::from_value(c));
                let k = vm.intern(n.name);
                let hidden = hidden(vm);
                vm.dict_set_str(hidden, k, one);
            }
        }
    }
    for (n, v) in [
        ("PyCF_ONLY_AST", 0x400),
        ("PyCF_TYPE_COMMENTS", 0x1000),
        ("PyCF_ALLOW_TOP_LEVEL_AWAIT", 0x2000),
    ] {
        set(vm, m, n, Value::small(v));
    }
    Ok(m)
}

/// Instances of the classes without fields, by name.
fn hidden(vm: &mut Vm) -> Value {
    let v = vm.statics[crate::slots::AST_SINGLETONS];
    if v.is_some() {
        return v;
    }
    let d = vm.new_dict();
    vm.statics[crate::slots::AST_SINGLETONS] = d;
    d
}

/// The class of a node, or null if the module was never made.
pub fn node_class(vm: &mut Vm, name: &str) -> Value {
    crate::module_attr(vm, "_ast", name)
}

/// The one instance of a class without fields: an operator or a context.
pub fn singleton(vm: &mut Vm, name: &str) -> Value {
    let d = hidden(vm);
    let k = vm.intern(name);
    vm.dict_get_str(d, k)
}
