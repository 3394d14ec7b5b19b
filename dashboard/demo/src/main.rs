//! `dashboard-demo FOLDER [NIGHTS [BENCHMARKS]]`: writes a made-up database and its site, to look at the pages and to time
//! them. With BENCHMARKS, that many more are made with one short process each.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use dashboard_demo::{Plan, fill};
use store::Store;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let Some(folder) = arguments.next().map(PathBuf::from) else {
        bail!("usage: dashboard-demo FOLDER [NIGHTS [BENCHMARKS]]");
    };
    let mut plan = Plan::two_months();
    if let Some(nights) = arguments.next() {
        plan.nights = nights
            .parse()
            .with_context(|| format!("{nights} is not a number of nights"))?;
    }
    if let Some(more) = arguments.next() {
        let more: u32 = more
            .parse()
            .with_context(|| format!("{more} is not a number of benchmarks"))?;
        plan.benchmarks
            .extend((0..more).map(|n| format!("made_{n:03}")));
        (plan.processes, plan.iterations) = (1, 3);
    }
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    let database = folder.join("demo.db");
    if database.exists() {
        std::fs::remove_file(&database)
            .with_context(|| format!("cannot replace {}", database.display()))?;
    }
    let mut store = Store::open(&database)?;
    fill(&mut store, &plan)?;
    let site = dashboard_pages::Site::new(&store);
    for page in [
        "index.html",
        "benchmarks/index.html",
        "benchmarks/alloc.html",
        "speedups/python3.11.html",
        "grid/opt.html",
        "warmup/index.html",
        "library/index.html",
        "builds/index.html",
        "commits/index.html",
        "status/index.html",
    ] {
        let start = std::time::Instant::now();
        let size = site.file(page)?.map_or(0, |file| file.bytes.len());
        println!(
            "{page:<28} {:>6} ms {:>6} kB",
            start.elapsed().as_millis(),
            size / 1000
        );
    }
    let report = dashboard_pages::render(&store, &folder.join("site"))?;
    println!(
        "{} pages, {} tables: {}",
        report.pages,
        report.tables,
        report.index.display()
    );
    Ok(())
}
