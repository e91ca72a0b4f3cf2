//! Measures the Nexmark queries: `cargo run --release -p chimera-pipelines --example nexmark -- [--events N] [--batch N] [--write FILE]
//! [QUERY…]`.
//!
//! Every query runs in a process of its own, so that its memory is its own: events are made, pushed and stepped through batch by batch,
//! then read from Parquet files, which are written once, and then DataFusion answers the same question once over the same events. Making
//! the events is not measured: its CPU time is taken off the process's; reading the files is.

mod files;
mod measure;
mod queries;
mod report;
mod uniform;

use anyhow::{Context, bail};
use measure::{Measured, Settings};
use queries::QUERIES;
use std::path::PathBuf;
use std::process::Command;

#[global_allocator]
static ALLOCATOR: dbsp::mimalloc::MiMalloc = dbsp::mimalloc::MiMalloc;

/// The option by which this program starts itself for one query.
const ONE: &str = "--one";
/// With it, where the files with the events are.
const FILES: &str = "--files";

fn main() -> anyhow::Result<()> {
    let mut settings = Settings { events: 2_000_000, batch: 100_000 };
    let (mut write, mut one, mut folder, mut names) = (None, None, None, vec![]);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} lacks its value"));
        match arg.as_str() {
            "--events" => settings.events = value()?.parse()?,
            "--batch" => settings.batch = value()?.parse()?,
            "--write" => write = Some(value()?),
            ONE => one = Some(value()?),
            FILES => folder = Some(PathBuf::from(value()?)),
            name if QUERIES.iter().any(|query| query.name == name) => names.push(name.to_string()),
            other => bail!("there is no query `{other}`: q0 to q22, hop, group, join, dedup"),
        }
    }
    if let Some(name) = one {
        let query = QUERIES.iter().find(|query| query.name == name).with_context(|| format!("there is no query `{name}`"))?;
        let folder = folder.with_context(|| format!("{ONE} needs {FILES}"))?;
        println!("{}", serde_json::to_string(&measure::run(query, &settings, &folder)?)?);
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    files::write(folder.path(), &settings)?;
    let mut rows = vec![];
    println!("{}", report::line_titles());
    for query in QUERIES.iter().filter(|query| names.is_empty() || names.iter().any(|name| name == query.name)) {
        let numbers = [settings.events, settings.batch].map(|number| number.to_string());
        let child = Command::new(std::env::current_exe()?)
            .args([ONE, query.name, "--events", &numbers[0], "--batch", &numbers[1], FILES])
            .arg(folder.path())
            .stderr(std::process::Stdio::inherit())
            .output()?;
        if !child.status.success() {
            bail!("{} failed: {}", query.name, child.status);
        }
        let measured: Measured = serde_json::from_slice(&child.stdout)?;
        println!("{}", report::line(query, &settings, &measured));
        rows.push((query, measured));
    }
    if let Some(path) = write {
        std::fs::write(&path, report::page(&settings, &rows)).with_context(|| path.clone())?;
    }
    Ok(())
}
