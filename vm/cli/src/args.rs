//! The command line: CPython's options, and Pyrite's own.

use pyrite_interp::jit::Params;
use pyrite_objects::vm::Config;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// What is to be run.
pub enum Program {
    Command(OsString),
    Module(OsString),
    File(PathBuf),
    Stdin,
}

/// How machine code is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JitMode {
    Off,
    NoOpt,
    Opt,
}

/// The command line, understood.
pub struct Args {
    pub program: Program,
    pub config: Config,
    pub jit: JitMode,
    pub params: Params,
    pub stats: Option<PathBuf>,
    pub gc_stress: Option<String>,
    /// Heap limit in bytes.
    pub heap_limit: Option<usize>,
}

/// Why nothing is run.
pub enum Stop {
    /// Wrong usage: message for standard error, exit code 2.
    Usage(String),
    /// Text for standard output, exit code 0.
    Print(String),
}

const USAGE: &str = "usage: pyrite [option] ... [-c cmd | -m mod | file | -] [arg] ...";

const HELP: &str = "\
Options (as CPython's; and Pyrite's own):
-B     : don't write compiled files on import
-c cmd : program passed in as string (ends the options)
-E     : ignore PYTHON* environment variables
-h     : print this help and exit
-i     : inspect interactively after running the script
-I     : isolate from the user's environment (implies -E and -s)
-m mod : run library module as a script (ends the options)
-O     : remove assert and __debug__-dependent statements
-OO    : remove docstrings, too
-q     : don't print version on interactive start-up
-s     : don't add the user site directory to sys.path
-S     : don't import site on start-up
-u     : unbuffered standard streams
-v     : verbose imports
-V     : print the version and exit
-W arg : warning control
-X opt : implementation-specific option
--jit=off|noopt|opt      : interpreter only; plain machine code; optimized (default)
--jit-passes=[-]name,... : optimizer passes and record-time switches to use, or (-) to leave out
--jit-threshold=N        : iterations before a loop is recorded; exits in proportion
--jit-max-traces=N       : compile only the first N traces
--jit-log=FILE           : what the JIT did
--jit-dump=STAGE         : traces in the log after a stage (record, a pass, final, asm, all)
--jit-stats=FILE         : counters as JSON at exit
--gc-stress=N|move|exits : collect at every N-th slow allocation; move whatever may move; collect at exits of traces
--gc-limit=BYTES         : largest heap
--seed=N                 : seed of everything random
--version                : print the version and exit";

/// Reads the command line, the environment and the configuration file.
///
/// # Errors
/// [`Stop`] when there is nothing to run.
pub fn parse(argv: Vec<OsString>) -> Result<Args, Stop> {
    let mut a = Args {
        program: Program::Stdin,
        config: Config {
            orig_argv: argv.clone(),
            ..Config::default()
        },
        jit: JitMode::Opt,
        params: Params::default(),
        stats: None,
        gc_stress: None,
        heap_limit: None,
    };
    // Weakest first: the file beside the binary, the environment, the options.
    if let Some(words) = conf_file() {
        words_of(&mut a, words.trim()).map_err(|e| Stop::Usage(format!("pyrite.conf: {e}")))?;
    }
    if let Ok(words) = std::env::var("PYRITE_JIT") {
        words_of(&mut a, &words).map_err(|e| Stop::Usage(format!("PYRITE_JIT: {e}")))?;
    }
    let mut it = argv.into_iter();
    let executable = it.next().unwrap_or_default();
    a.config.executable = std::env::current_exe()
        .map(|p| p.display().to_string())
        .unwrap_or(executable.display().to_string());
    let mut rest: Vec<OsString> = it.collect();
    let mut program = None;
    while !rest.is_empty() {
        let arg = rest[0].to_string_lossy().into_owned();
        if arg == "-" || !arg.starts_with('-') {
            break;
        }
        rest.remove(0);
        if arg == "--" {
            break;
        }
        if let Some(long) = arg.strip_prefix("--") {
            long_option(&mut a, long)?;
            continue;
        }
        let mut letters = arg[1..].chars();
        while let Some(c) = letters.next() {
            let c2 = &mut a.config;
            match c {
                'B' => c2.dont_write_bytecode = true,
                'E' => c2.ignore_environment = true,
                'I' => {
                    c2.isolated = true;
                    c2.ignore_environment = true;
                    c2.no_user_site = true;
                    c2.safe_path = true;
                }
                'O' => c2.optimize += 1,
                'P' => c2.safe_path = true,
                'q' => c2.quiet = true,
                's' => c2.no_user_site = true,
                'S' => c2.no_site = true,
                'u' => c2.unbuffered = true,
                'v' => c2.verbose += 1,
                'b' => c2.bytes_warning += 1,
                'd' | 'x' | 'R' => {}
                'i' => {
                    c2.inspect = true;
                    c2.interactive = true;
                }
                'V' => return Err(Stop::Print(version())),
                'h' | '?' => return Err(Stop::Print(format!("{USAGE}\n{HELP}"))),
                'c' | 'm' | 'W' | 'X' => {
                    let attached: String = letters.by_ref().collect();
                    let value = if attached.is_empty() {
                        if rest.is_empty() {
                            return Err(Stop::Usage(format!(
                                "Argument expected for the -{c} option\n{USAGE}\nTry `pyrite -h' for more information."
                            )));
                        }
                        rest.remove(0)
                    } else {
                        attached.into()
                    };
                    match c {
                        'c' => program = Some(Program::Command(value)),
                        'm' => program = Some(Program::Module(value)),
                        'W' => c2.warn_options.push(value.to_string_lossy().into_owned()),
                        _ => {
                            let v = value.to_string_lossy().into_owned();
                            if v == "utf8" {
                                c2.utf8_mode = true;
                            } else if v == "dev" {
                                c2.dev_mode = true;
                            } else if let Some(n) = v.strip_prefix("int_max_str_digits=") {
                                c2.int_max_str_digits = Some(digits(n, "-X int_max_str_digits")?);
                            } else if v == "int_max_str_digits" {
                                return Err(digits("", "-X int_max_str_digits").unwrap_err());
                            } else if let Some(path) = v.strip_prefix("pycache_prefix=") {
                                c2.pycache_prefix = Some(path.to_owned());
                            } else if v == "pycache_prefix" {
                                c2.pycache_prefix = Some(String::new());
                            }
                            c2.x_options.push(v);
                        }
                    }
                }
                _ => {
                    return Err(Stop::Usage(format!(
                        "Unknown option: -{c}\n{USAGE}\nTry `pyrite -h' for more information."
                    )));
                }
            }
        }
        if program.is_some() {
            break;
        }
    }
    environment(&mut a.config)?;
    match program {
        Some(p) => {
            let first = match &p {
                Program::Command(_) => "-c",
                _ => "-m",
            };
            a.program = p;
            a.config.argv = std::iter::once(OsString::from(first)).chain(rest).collect();
        }
        None => {
            a.program = match rest.first() {
                None => Program::Stdin,
                Some(f) if f == OsStr::new("-") => Program::Stdin,
                Some(f) => Program::File(PathBuf::from(f)),
            };
            a.config.argv = if rest.is_empty() {
                vec![OsString::new()]
            } else {
                rest
            };
        }
    }
    Ok(a)
}

/// What `--version` prints.
pub fn version() -> String {
    format!("Python 3.11 (Pyrite {})", env!("CARGO_PKG_VERSION"))
}

/// A limit of int/str conversions.
fn digits(text: &str, what: &str) -> Result<usize, Stop> {
    match text.parse() {
        Ok(n) if n == 0 || n >= pyrite_objects::number_text::MIN_MAX_STR_DIGITS => Ok(n),
        _ => Err(Stop::Usage(format!(
            "{what}: invalid limit; must be >= {} or 0 for unlimited.",
            pyrite_objects::number_text::MIN_MAX_STR_DIGITS
        ))),
    }
}

fn environment(c: &mut Config) -> Result<(), Stop> {
    if c.ignore_environment {
        return Ok(());
    }
    let set = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    c.pycache_prefix = c
        .pycache_prefix
        .take()
        .or_else(|| set("PYTHONPYCACHEPREFIX"));
    c.dont_write_bytecode |= set("PYTHONDONTWRITEBYTECODE").is_some();
    c.unbuffered |= set("PYTHONUNBUFFERED").is_some();
    c.no_user_site |= set("PYTHONNOUSERSITE").is_some();
    c.inspect |= set("PYTHONINSPECT").is_some();
    c.safe_path |= set("PYTHONSAFEPATH").is_some();
    if let Some(v) = set("PYTHONOPTIMIZE") {
        c.optimize = c.optimize.max(v.parse().unwrap_or(1));
    }
    if let Some(v) = set("PYTHONVERBOSE") {
        c.verbose = c.verbose.max(v.parse().unwrap_or(1));
    }
    if let Some(v) = set("PYTHONHASHSEED")
        && v != "random"
    {
        c.hash_seed = v.parse().ok();
    }
    if let Some(v) = set("PYTHONWARNINGS") {
        let mut all: Vec<String> = v.split(',').map(str::to_owned).collect();
        all.append(&mut c.warn_options);
        c.warn_options = all;
    }
    if let Some(v) = set("PYTHONINTMAXSTRDIGITS")
        && c.int_max_str_digits.is_none()
    {
        c.int_max_str_digits = Some(digits(&v, "PYTHONINTMAXSTRDIGITS")?);
    }
    Ok(())
}

/// The configuration file beside the binary, as it was started (a link counts).
fn conf_file() -> Option<String> {
    let started = std::env::args_os().next()?;
    let started = Path::new(&started);
    let beside = if started.components().count() > 1 {
        started.parent()?.join("pyrite.conf")
    } else {
        PathBuf::new()
    };
    if let Ok(text) = std::fs::read_to_string(beside) {
        return Some(text);
    }
    let exe = std::env::current_exe().ok()?;
    std::fs::read_to_string(exe.parent()?.join("pyrite.conf")).ok()
}

/// Words as in `PYRITE_JIT="opt,threshold=2,passes=-peel"`.
fn words_of(a: &mut Args, words: &str) -> Result<(), String> {
    for w in words.split([',', ' ', '\n']).filter(|w| !w.is_empty()) {
        match w.split_once('=') {
            None => mode(a, w)?,
            Some(("threshold", v)) => threshold(a, v)?,
            Some(("passes", v)) => passes(a, &v.replace('+', ","))?,
            Some(("max-traces", v)) => a.params.max_traces = number(v)?,
            Some(("gc-stress", v)) => a.gc_stress = Some(v.into()),
            Some(("seed", v)) => a.config.seed = Some(number(v)?),
            Some((k, _)) => return Err(format!("unknown setting '{k}'")),
        }
    }
    Ok(())
}

fn number<T: std::str::FromStr>(v: &str) -> Result<T, String> {
    v.parse().map_err(|_| format!("'{v}' is not a number"))
}

fn mode(a: &mut Args, w: &str) -> Result<(), String> {
    a.jit = match w {
        "off" => JitMode::Off,
        "noopt" => JitMode::NoOpt,
        "opt" => JitMode::Opt,
        _ => return Err(format!("unknown mode '{w}' (off, noopt, opt)")),
    };
    if a.jit == JitMode::NoOpt {
        a.params.passes = "".parse().map_err(|_| "no passes".to_string())?;
    }
    Ok(())
}

fn threshold(a: &mut Args, v: &str) -> Result<(), String> {
    let n: i32 = number(v)?;
    if n < 1 {
        return Err(format!("threshold {n} is less than 1"));
    }
    a.params.loop_threshold = n - 1;
    a.params.exit_threshold = (n as u32 * 15 / 100).max(1);
    Ok(())
}

/// Names of passes and switches: a list replaces the set, names with a minus
/// are taken from it.
fn passes(a: &mut Args, list: &str) -> Result<(), String> {
    let names: Vec<&str> = list.split(',').filter(|n| !n.is_empty()).collect();
    let only = names.iter().any(|n| !n.starts_with('-'));
    let s = &mut a.params.switches;
    if only {
        a.params.passes = "".parse().map_err(|_| "no passes".to_string())?;
        *s = pyrite_interp::jit::Switches {
            inline: false,
            frames: false,
            attrs: false,
            watch: false,
            bridges: false,
            functions: false,
            leaf: false,
        };
    }
    for n in names {
        let (on, name) = match n.strip_prefix('-') {
            Some(n) => (false, n),
            None => (true, n),
        };
        match name {
            "inline" => s.inline = on,
            "frames" => s.frames = on,
            "attrs" => s.attrs = on,
            "watch" => s.watch = on,
            "bridges" => s.bridges = on,
            "functions" => s.functions = on,
            "leaf" => s.leaf = on,
            _ => {
                let Some(&p) = pyrite_jit_opt::Pass::ALL.iter().find(|p| p.name() == name) else {
                    return Err(format!("unknown pass '{name}'"));
                };
                a.params.passes = if on {
                    a.params.passes.with(p)
                } else {
                    a.params.passes.without(p)
                };
            }
        }
    }
    Ok(())
}

fn long_option(a: &mut Args, long: &str) -> Result<(), Stop> {
    let (name, value) = match long.split_once('=') {
        Some((n, v)) => (n, Some(v)),
        None => (long, None),
    };
    let usage = |e: String| Stop::Usage(format!("--{name}: {e}"));
    let need =
        || value.ok_or_else(|| Stop::Usage(format!("--{name} wants a value (--{name}=...)")));
    match name {
        "version" => return Err(Stop::Print(version())),
        "help" => return Err(Stop::Print(format!("{USAGE}\n{HELP}"))),
        "jit" => mode(a, need()?).map_err(usage)?,
        "jit-passes" => passes(a, need()?).map_err(usage)?,
        "jit-threshold" => threshold(a, need()?).map_err(usage)?,
        "jit-max-traces" => a.params.max_traces = number(need()?).map_err(usage)?,
        "jit-log" => a.params.log = Some(need()?.into()),
        "jit-dump" => a.params.dump = need()?.into(),
        "jit-stats" => a.stats = Some(need()?.into()),
        "gc-stress" => a.gc_stress = Some(need()?.into()),
        "gc-limit" => a.heap_limit = Some(number(need()?).map_err(usage)?),
        "seed" => a.config.seed = Some(number(need()?).map_err(usage)?),
        _ => {
            return Err(Stop::Usage(format!(
                "unknown option --{name}\n{USAGE}\nTry `pyrite -h' for more information."
            )));
        }
    }
    Ok(())
}
