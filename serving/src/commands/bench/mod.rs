//! `chimera bench`: a platform of its own in a temporary folder, fed with a real year, beside reference runs in the same minute.

mod api;
mod one_row;
mod platform;
mod report;

use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;

use self::platform::Platform;
use self::report::{Figures, Quantiles};
use super::import::{import_year, read_year};
use super::{Output, Settings, ui};
use crate::shop::online_retail::replay::Progress;
use crate::shop::online_retail::{Options, replay};
use crate::shop::orders::{self, Order};

/// Measure this machine: the year through every store, the delay at a steady rate of orders, the API under load, and memory
#[derive(Debug, Args)]
#[command(after_help = "\
Each figure stands beside a reference run of the same minute: `\\copy` of the same lines into one table, the commit of the same orders, and, beside
one product's way to the search index, a page synced to the same disk; beside the API, a route that answers a constant.
Needs the UCI Online Retail year (CHIMERA_DATA). Nothing of the running instance is touched.

Examples:
  chimera bench
  chimera bench --limit 4000 --rate 100 --write docs/benchmarks.md")]
pub struct Arguments {
    /// Only the first N invoices of the year
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Orders a second while delays are measured
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
    /// For how many seconds delays are measured
    #[arg(long, default_value_t = 20, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=50))]
    seconds: u32,
    /// Write the figures, with machine and date, as a page
    #[arg(long, value_name = "FILE")]
    write: Option<std::path::PathBuf>,
}

pub async fn run(settings: &Settings, arguments: &Arguments, output: Output) -> anyhow::Result<()> {
    let year = read_year(settings, None, arguments.limit).await?;
    let mut platform = Platform::start(settings).await?;
    let measured = measure(&mut platform, year, arguments).await;
    platform.stop().await;
    let figures = measured?;
    match output {
        Output::Json => println!("{}", serde_json::to_string_pretty(&figures)?),
        Output::Text => print!("{}", figures.text()),
    }
    if let Some(path) = &arguments.write {
        std::fs::write(path, figures.page()).with_context(|| format!("cannot write {}", path.display()))?;
        eprintln!("written to {}", path.display());
    }
    Ok(())
}

async fn measure(platform: &mut Platform, mut year: crate::shop::online_retail::Year, arguments: &Arguments) -> anyhow::Result<Figures> {
    let server = platform.server()?;
    import_year(&server, &year).await?;
    platform.caught_up(Duration::from_secs(120)).await?;

    // The first invoices at a steady rate; the rest of the year follows as fast as it goes.
    let steady = (arguments.rate * arguments.seconds) as usize;
    let rest = year.invoices.split_off(steady.min(year.invoices.len() / 2));
    let step = ui::Step::new("Delays");
    step.doing(&format!("{} orders, {} a second", year.invoices.len(), arguments.rate));
    let commits = at_rate(&server, std::mem::take(&mut year.invoices), arguments.rate).await?;
    platform.caught_up(Duration::from_secs(60)).await?;
    let stores = platform.delays().await?;
    step.done(format!("{} stores", stores.len()));

    let lines: usize = rest.iter().map(|order| order.lines.len()).sum();
    let step = ui::Step::new("Reference");
    step.doing("\\copy of the same lines");
    let copy_s = platform.copy(&rest).await?.as_secs_f64();
    step.done(format!("{lines} lines in {copy_s:.1} s"));

    let step = ui::Step::new("Year");
    step.doing("PostgreSQL, change capture, log, engine, every store");
    let began = Instant::now();
    let progress = std::sync::Arc::new(Progress::default());
    let options = Options { speed: None, connections: 4 };
    replay(&server, rest, &options, progress).await?;
    let written_s = began.elapsed().as_secs_f64();
    platform.caught_up(Duration::from_secs(1800)).await?;
    let visible_s = began.elapsed().as_secs_f64();
    step.done(format!("{lines} lines in {visible_s:.1} s"));

    let one_row = one_row::measure(platform).await?;
    let api = api::measure(platform).await?;
    Ok(Figures {
        lines,
        copy_s,
        written_s,
        visible_s,
        rate: arguments.rate,
        commits,
        stores,
        one_row,
        api,
        peak_memory_bytes: platform.peak_memory_bytes()?,
        machine: report::machine(),
        date: chrono::Utc::now().format("%Y-%m-%d").to_string(),
    })
}

/// Writes orders at a steady rate, each its own transaction; how long PostgreSQL took for each.
async fn at_rate(server: &crate::shop::databases::Server, orders: Vec<Order>, rate: u32) -> anyhow::Result<Quantiles> {
    let shards = server.databases().shards;
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
    let mut writes = tokio::task::JoinSet::new();
    for order in orders {
        ticks.tick().await;
        let shard = shards.of(order.id()).clone();
        writes.spawn(async move {
            let began = Instant::now();
            let mut connection = shard.pool.acquire().await?;
            orders::write(&shard, &mut connection, std::slice::from_ref(&order)).await?;
            Ok::<_, sqlx::Error>(began.elapsed())
        });
    }
    let mut took_ms = Vec::new();
    while let Some(written) = writes.join_next().await {
        took_ms.push(written.context("a writer broke off")?.context("PostgreSQL refused an order")?.as_secs_f64() * 1e3);
    }
    Ok(Quantiles::of(took_ms))
}
