//! Interned names that Rust code looks up.

use crate::vm::Vm;
use pyrite_machine::Value;

macro_rules! names {
    ($($field:ident $text:literal)*) => {
        /// Interned strings by field name; `__add__` is `dunder_add`-free: `add`.
        #[derive(Clone, Copy)]
        #[allow(missing_docs, reason = "the fields are named as the texts are")]
        pub struct Names { $(pub $field: Value),* }
        impl Names {
            /// All null, before strings exist.
            pub const fn empty() -> Names { Names { $($field: Value::NULL),* } }
            /// Interns them all.
            pub fn make(vm: &mut Vm) -> Names { Names { $($field: vm.intern($text)),* } }
        }
    };
}

names! {
    new "__new__" init "__init__" del "__del__" repr "__repr__" str_ "__str__" bytes "__bytes__" format "__format__"
    lt "__lt__" le "__le__" eq "__eq__" ne "__ne__" gt "__gt__" ge "__ge__" hash "__hash__" bool_ "__bool__"
    getattr "__getattr__" getattribute "__getattribute__" setattr "__setattr__" delattr "__delattr__" dir "__dir__"
    get "__get__" set "__set__" delete "__delete__" set_name "__set_name__" init_subclass "__init_subclass__"
    prepare "__prepare__" instancecheck "__instancecheck__" subclasscheck "__subclasscheck__" class_getitem "__class_getitem__"
    mro_entries "__mro_entries__" call "__call__" len "__len__" length_hint "__length_hint__" getitem "__getitem__"
    setitem "__setitem__" delitem "__delitem__" missing "__missing__" iter "__iter__" next "__next__" reversed "__reversed__"
    contains "__contains__" add "__add__" sub "__sub__" mul "__mul__" matmul "__matmul__" truediv "__truediv__"
    floordiv "__floordiv__" mod_ "__mod__" divmod "__divmod__" pow "__pow__" lshift "__lshift__" rshift "__rshift__"
    and_ "__and__" xor "__xor__" or_ "__or__" radd "__radd__" rsub "__rsub__" rmul "__rmul__" rmatmul "__rmatmul__"
    rtruediv "__rtruediv__" rfloordiv "__rfloordiv__" rmod "__rmod__" rdivmod "__rdivmod__" rpow "__rpow__"
    rlshift "__rlshift__" rrshift "__rrshift__" rand "__rand__" rxor "__rxor__" ror "__ror__" iadd "__iadd__"
    isub "__isub__" imul "__imul__" imatmul "__imatmul__" itruediv "__itruediv__" ifloordiv "__ifloordiv__"
    imod "__imod__" ipow "__ipow__" ilshift "__ilshift__" irshift "__irshift__" iand "__iand__" ixor "__ixor__"
    ior "__ior__" neg "__neg__" pos "__pos__" abs "__abs__" invert "__invert__" complex "__complex__" int "__int__"
    float "__float__" index "__index__" round "__round__" trunc "__trunc__" floor "__floor__" ceil "__ceil__"
    enter "__enter__" exit "__exit__" await_ "__await__" aiter "__aiter__" anext "__anext__" aenter "__aenter__" aexit "__aexit__"
    dict "__dict__" class "__class__" module "__module__" name "__name__" qualname "__qualname__" doc "__doc__"
    bases "__bases__" mro "__mro__" slots "__slots__" weakref "__weakref__" annotations "__annotations__" classcell "__classcell__"
    file "__file__" path "__path__" loader "__loader__" spec "__spec__" package "__package__" cached "__cached__"
    builtins "__builtins__" main "__main__" import "__import__" build_class "__build_class__" all "__all__"
    defaults "__defaults__" kwdefaults "__kwdefaults__" code "__code__" globals "__globals__" closure "__closure__"
    wrapped "__wrapped__" self_ "__self__" func "__func__" objclass "__objclass__" text_signature "__text_signature__"
    abstractmethods "__abstractmethods__" isabstractmethod "__isabstractmethod__" match_args "__match_args__"
    traceback "__traceback__" context "__context__" cause "__cause__" suppress_context "__suppress_context__" notes "__notes__"
    reduce "__reduce__" reduce_ex "__reduce_ex__" getstate "__getstate__" setstate "__setstate__" getnewargs "__getnewargs__"
    getnewargs_ex "__getnewargs_ex__" copy "__copy__" deepcopy "__deepcopy__" sizeof "__sizeof__" fspath "__fspath__"
    buffer "__buffer__" origin "__origin__" args_ "__args__" parameters "__parameters__" typing_subst "__typing_subst__"
    value "value" args "args" send "send" throw "throw" close "close" keys "keys" items "items" values "values" mro_plain "mro"
    stdout "stdout" stderr "stderr" stdin "stdin" write "write" flush "flush" encoding "encoding" errors "errors" modules "modules"
    excepthook "excepthook" displayhook "displayhook" last_type "last_type" last_value "last_value" last_traceback "last_traceback"
    underscore "_" sys "sys" path_plain "path" name_plain "name" obj "obj" code_plain "code" msg "msg" append "append"
    sep "sep" end "end" file_plain "file" key "key" reverse "reverse" default "default" metaclass "metaclass" lambda "<lambda>"
    iterable "iterable" print_file_and_line "print_file_and_line" lineno "lineno" offset "offset" text "text"
    end_lineno "end_lineno" end_offset "end_offset" filename "filename" errno "errno" strerror "strerror" filename2 "filename2"
    object "object" start "start" stop "stop" step "step" reason "reason" message "message" exceptions "exceptions"
    initializing "_initializing" find_and_load "_find_and_load" handle_fromlist "_handle_fromlist" fromlist "fromlist"
    readline "readline" read "read" fileno "fileno" mode "mode" closed "closed" characters_written "characters_written"
}
