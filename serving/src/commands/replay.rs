//! `chimera replay`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::Args;

use super::import::{import_year, read_year};
use super::{Exit, Output, Settings, instance, ui};
use crate::shop::online_retail::replay::Progress;
use crate::shop::online_retail::{Options, replay};

/// Play the UCI Online Retail year into PostgreSQL, a transaction for each order or cancellation
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chimera replay --speed max                   as fast as PostgreSQL takes it
  chimera replay --speed 3600                  an hour a second: the year in 2.5 hours
  chimera replay --speed max --limit 1000      the first 1,000 invoices

Invoices that are there already are skipped, so a replay that was stopped goes on where it was.
Articles and opening stock are imported first, if they are missing. Ends with 1 if PostgreSQL holds other totals than the file afterwards.")]
pub struct Arguments {
    /// The year's CSV, plain or gzip [default: CHIMERA_DATA/online-retail/online_retail.csv.gz]
    file: Option<PathBuf>,
    /// Times real time, or `max`
    #[arg(long, default_value = "max", value_parser = parse_speed)]
    speed: Speed,
    /// Only the first N invoices
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Transactions under way at once
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    connections: u8,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Speed {
    Max,
    Times(f64),
}

fn parse_speed(text: &str) -> Result<Speed, String> {
    if text.eq_ignore_ascii_case("max") {
        return Ok(Speed::Max);
    }
    match text.parse::<f64>() {
        Ok(times) if times.is_finite() && times > 0.0 => Ok(Speed::Times(times)),
        _ => Err("a speed is a number above 0, or `max`".to_owned()),
    }
}

pub async fn run(settings: &Settings, arguments: &Arguments, output: Output) -> anyhow::Result<()> {
    let server = instance::server(settings)?;
    server.check_shards().await?;
    let year = read_year(settings, arguments.file.as_deref(), arguments.limit).await?;
    import_year(&server, &year).await?;
    let speed = match arguments.speed {
        Speed::Max => None,
        Speed::Times(times) => Some(times),
    };
    let options = Options { speed, connections: usize::from(arguments.connections) };
    let progress = Arc::new(Progress::default());
    let shown = tokio::spawn(show(progress.clone(), year.invoices.len() as u64));
    let report = replay(&server, year.invoices, &options, progress).await;
    shown.abort();
    let report = report?;
    match output {
        Output::Json => println!("{}", serde_json::to_string_pretty(&report)?),
        Output::Text => {
            println!(
                "{} invoices with {} lines written in {}, {:.0} lines/s; {} invoices were there before",
                report.orders,
                report.lines,
                ui::seconds(Duration::from_secs_f64(report.seconds)),
                report.lines_per_s,
                report.skipped_orders
            );
            println!("file:       {}", report.file);
            println!("PostgreSQL: {}", report.stored);
        }
    }
    if report.complete { Ok(()) } else { Err(Exit::Found.into()) }
}

async fn show(progress: Arc<Progress>, total: u64) {
    let mut bar = ui::Bar::new("invoices", total);
    let started = Instant::now();
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let rate = progress.lines.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64();
        bar.set(progress.orders.load(Ordering::Relaxed), &format!("{rate:.0} lines/s"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_max_or_above_nothing() {
        assert_eq!(parse_speed("max"), Ok(Speed::Max));
        assert_eq!(parse_speed("60"), Ok(Speed::Times(60.0)));
        for bad in ["0", "-1", "fast", "inf", "NaN"] {
            assert!(parse_speed(bad).is_err(), "{bad}");
        }
    }
}
