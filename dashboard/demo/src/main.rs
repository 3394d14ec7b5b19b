//! `dashboard-demo FOLDER [NIGHTS [BENCHMARKS]]`: writes a made-up database and its site, to look at the pages. With
//! BENCHMARKS, that many more are made with one short process each.
//! `dashboard-demo --time DATABASE`: says how long each kind of page of an existing database takes.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail};
use dashboard_demo::{Plan, fill};
use dashboard_pages::Site;
use store::Store;

const PAGES: [&str; 13] = [
    "index.html",
    "benchmarks/index.html",
    "benchmarks/alloc.html",
    "speedups/python3.11.html",
    "grid/opt.html",
    "warmup/index.html",
    "library/index.html",
    "builds/index.html",
    "commits/index.html",
    "compare/index.html",
    "alerts/index.html",
    "searches/index.html",
    "status/index.html",
];

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--time", database] => time(Path::new(database)),
        [folder] => make(&PathBuf::from(folder), &Plan::two_months()),
        [folder, nights] => make(
            &PathBuf::from(folder),
            &Plan {
                nights: number(nights)?,
                ..Plan::two_months()
            },
        ),
        [folder, nights, benchmarks] => {
            let mut plan = Plan {
                nights: number(nights)?,
                processes: 1,
                iterations: 3,
                ..Plan::two_months()
            };
            plan.benchmarks
                .extend((0..number(benchmarks)?).map(|n| format!("made_{n:03}")));
            make(&PathBuf::from(folder), &plan)
        }
        _ => bail!("usage: dashboard-demo FOLDER [NIGHTS [BENCHMARKS]] | --time DATABASE"),
    }
}

fn number(text: &str) -> anyhow::Result<u32> {
    text.parse()
        .with_context(|| format!("{text} is not a number"))
}

fn make(folder: &Path, plan: &Plan) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let database = folder.join("demo.db");
    for suffix in ["", "-wal", "-shm"] {
        let old = folder.join(format!("demo.db{suffix}"));
        if old.exists() {
            std::fs::remove_file(&old)
                .with_context(|| format!("cannot replace {}", old.display()))?;
        }
    }
    let mut store = Store::open(&database)?;
    fill(&mut store, plan)?;
    let start = Instant::now();
    let report = dashboard_pages::render(&store, &folder.join("site"))?;
    println!(
        "{} pages and {} tables in {:.1} s: {}",
        report.pages,
        report.tables,
        start.elapsed().as_secs_f64(),
        report.index.display()
    );
    Ok(())
}

fn time(database: &Path) -> anyhow::Result<()> {
    let store = Store::open_read_only(database)?;
    let site = Site::new(&store);
    for page in PAGES {
        let start = Instant::now();
        let size = site.file(page)?.map_or(0, |file| file.bytes.len());
        println!(
            "{page:<28} {:>6} ms {:>6} kB",
            start.elapsed().as_millis(),
            size / 1000
        );
    }
    Ok(())
}
