//! `nightjar export FORMAT --out PATH`: results for other programs.

use crate::config::Config;
use crate::data::Data;
use crate::exit::Exit;
use crate::revisions;
use crate::wrong::{unknown, wrong};
use anyhow::{Context, Result, anyhow, bail};
use formats::{Measured, Process, asv, bmf, gha, junit, openmetrics, otava, pyperf, table};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use store::Store;
use store::read::exports::{ExportPoint, Filter};

/// What to write.
#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// The format.
    #[arg(value_enum)]
    format: Format,
    /// File to write; a folder for asv and otava; - for standard output.
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
    /// Only this commit. pyperf, junit, bmf, gha and openmetrics take the newest measured one if not given.
    #[arg(long, value_name = "REV")]
    commit: Option<String>,
    /// Only this mode. pyperf takes the last of the configuration's if not given.
    #[arg(long, value_name = "NAME")]
    mode: Option<String>,
    /// Only this benchmark.
    #[arg(long, value_name = "NAME")]
    benchmark: Option<String>,
    /// Subject of the commits; the first of the configuration if not given.
    #[arg(long, value_name = "NAME")]
    subject: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Pyperf,
    Asv,
    Otava,
    Junit,
    Bmf,
    Gha,
    Openmetrics,
    Csv,
    Json,
}

/// That something was measured in such a mode, and such a benchmark, is looked at first: an empty file says neither.
fn check_names(what: &Export, store: &Store) -> Result<()> {
    if let Some(mode) = &what.mode {
        let known = store.mode_names()?;
        if !known.contains(mode) {
            return Err(unknown("mode", mode, known.iter().map(String::as_str)));
        }
    }
    if let Some(benchmark) = &what.benchmark {
        let known = store.benchmark_names()?;
        let is = |name: &String| {
            name == benchmark
                || name
                    .rsplit_once('/')
                    .is_some_and(|(_, last)| last == benchmark)
        };
        if !known.iter().any(is) {
            let known = known.iter().map(String::as_str);
            return Err(unknown("benchmark", benchmark, known));
        }
    }
    Ok(())
}

/// Writes the file or folder.
pub(crate) fn run(what: &Export, config: &Config, data: &Data) -> Result<Exit> {
    let store = Store::open_read_only(&data.database())?;
    let subject = revisions::subject(config, what.subject.as_deref())?;
    let one_commit = matches!(
        what.format,
        Format::Pyperf | Format::Junit | Format::Bmf | Format::Gha | Format::Openmetrics
    );
    check_names(what, &store)?;
    let sha = match &what.commit {
        Some(revision) => Some(revisions::sha(revision, subject, data, &store)?),
        None if one_commit => {
            let newest = store.newest_measured(&subject.name)?;
            Some(newest.with_context(|| format!("no commit of {} was measured", subject.name))?)
        }
        None => None,
    };
    if what.format == Format::Junit {
        let sha = sha.unwrap_or_default();
        let cases = store.export_cases(&subject.name, &sha, what.mode.as_deref())?;
        if cases.is_empty() {
            return Err(wrong(anyhow!(
                "no library test of {sha} has a result{}; `nightjar status` shows what was run",
                what.mode
                    .as_ref()
                    .map_or_else(String::new, |mode| format!(" in mode {mode}"))
            )));
        }
        let cases: Vec<junit::Case> = cases
            .into_iter()
            .map(|case| junit::Case {
                mode: case.mode,
                module: case.module,
                id: case.case,
                outcome: case.outcome,
                seconds: case.duration_ns as f64 * 1e-9,
                message: case.message,
            })
            .collect();
        let text = junit::write(
            &subject.name,
            &cases,
            &[("subject", &subject.name), ("commit", &sha)],
        );
        return write(&what.out, &text);
    }
    let mode = match (&what.mode, what.format) {
        (Some(mode), _) => Some(mode.clone()),
        (None, Format::Pyperf) => subject
            .modes
            .iter()
            .rfind(|mode| mode.purpose == crate::config::Purpose::Timing)
            .map(|mode| mode.name.clone()),
        (None, _) => None,
    };
    let filter = Filter {
        sha,
        mode,
        benchmark: what.benchmark.clone(),
        // The tables have the baselines too, unless one subject is asked for.
        subject: match what.format {
            Format::Csv | Format::Json if what.subject.is_none() => None,
            _ => Some(subject.name.clone()),
        },
    };
    let measured = store
        .export_points(&filter)?
        .into_iter()
        .map(|point| measured(&store, point))
        .collect::<Result<Vec<_>>>()?;
    let text = match what.format {
        Format::Asv => {
            let repository = subject.repository.display().to_string();
            return write_folder(
                &what.out,
                &asv::write(&measured, &subject.name, &repository)?,
            );
        }
        Format::Otava => {
            let folder = std::path::absolute(&what.out)?;
            return write_folder(
                &what.out,
                &otava::write(&measured, &folder.to_string_lossy())?,
            );
        }
        Format::Pyperf => pyperf::write(&measured)?,
        Format::Bmf => bmf::write(&measured)?,
        Format::Gha => gha::write(&measured)?,
        Format::Openmetrics => openmetrics::write(&measured),
        Format::Csv => table::csv(&measured),
        Format::Json | Format::Junit => table::json(&measured),
    };
    write(&what.out, &text)
}

fn measured(store: &Store, point: ExportPoint) -> Result<Measured> {
    let processes = store
        .export_processes(point.job)?
        .into_iter()
        .map(|process| Process {
            walls_s: process.walls_ns.iter().map(|ns| ns * 1e-9).collect(),
            steady_from: process.steady_from,
            started_s: process.started_s,
            wall_s: process.wall_ns as f64 * 1e-9,
            peak_rss_bytes: process.peak_rss_bytes,
            hash_seed: process.hash_seed,
        })
        .collect();
    Ok(Measured {
        benchmark: point.benchmark,
        subject: point.subject,
        sha: point.sha,
        seq: point.seq,
        commit_time_s: point.commit_time_s,
        title: point.title,
        mode: point.mode,
        version: point.version,
        machine: point.machine,
        cpu_model: point.cpu_model,
        cores: point.cores,
        memory_bytes: point.memory_bytes,
        kernel: point.kernel,
        run: point.run,
        started_s: point.started_s,
        source_sha256: point.source_sha256,
        seconds: point.geomean_ns * 1e-9,
        interval: point
            .interval_ns
            .map(|(low, high)| (low * 1e-9, high * 1e-9)),
        processes,
    })
}

fn write(out: &Path, text: &str) -> Result<Exit> {
    if out == Path::new("-") {
        return match std::io::stdout().write_all(text.as_bytes()) {
            // Whoever read us has seen enough (`| head`).
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(Exit::Clean),
        };
    }
    fs::write(out, text).with_context(|| format!("{}: cannot write", out.display()))?;
    println!("{}", out.display());
    Ok(Exit::Clean)
}

fn write_folder(out: &Path, files: &[(String, String)]) -> Result<Exit> {
    if out == Path::new("-") {
        bail!("this format is a folder; name one with --out");
    }
    for (path, text) in files {
        let path = out.join(path);
        let folder = path.parent().unwrap_or(out);
        fs::create_dir_all(folder)
            .with_context(|| format!("{}: cannot make the folder", folder.display()))?;
        fs::write(&path, text).with_context(|| format!("{}: cannot write", path.display()))?;
    }
    println!("{}", out.display());
    Ok(Exit::Clean)
}
