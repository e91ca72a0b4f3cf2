//! `chimera simulate`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;

use super::{Exit, Output, Settings, instance, table, ui};
use crate::shop::simulate::{Error, Options, Progress, simulate};
use chimera_client::Client;

/// Send shoppers through the shop, who search (also with typing mistakes), look, fill carts, buy, cancel and return, and check every answer
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chimera simulate                                until Ctrl-C, 2 shoppers a second
  chimera simulate --rate 50 --duration 60
  chimera simulate --rate 20 --duration 30 --output json

Everything goes through the public API. Two of five shoppers have accounts. Orders are sent, and returns taken back, with the operator's token of
the data folder; where that is not the server's, nothing is returned and there are no coupons.

Ends with 1 if a request failed or an answer cannot be true. That something is sold out, or a card declined that has no money, is no failure.")]
pub struct Arguments {
    /// Shoppers a second
    #[arg(long, default_value_t = 2.0, value_parser = parse_rate)]
    rate: f64,
    /// Shoppers in the shop at once
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    shoppers: u16,
    /// Stop after so many seconds [default: at Ctrl-C]
    #[arg(long, value_name = "SECONDS")]
    duration: Option<u64>,
    /// The same number gives the same shoppers
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn parse_rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 && rate <= 10_000.0 => Ok(rate),
        _ => Err("a rate is a number above 0, up to 10000".to_owned()),
    }
}

pub async fn run(settings: &Settings, arguments: &Arguments, output: Output) -> anyhow::Result<()> {
    // What is on this machine is not reached through a proxy.
    let http = chimera_client::reqwest::Client::builder().no_proxy().build().context("cannot set up an HTTP client")?;
    let client = Client::over(http, &instance::http_url(settings)?)?;
    let clerk = client.clone().with_bearer(instance::operator_token(&settings.data_dir)?);
    let options = Options {
        rate: arguments.rate,
        shoppers: usize::from(arguments.shoppers),
        duration: arguments.duration.map(Duration::from_secs),
        seed: arguments.seed,
        clerk: Some(clerk),
    };
    let stop = Arc::new(AtomicBool::new(false));
    let stopping = stop.clone();
    let interrupt = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stopping.store(true, Ordering::Relaxed);
        }
    });
    let progress = Arc::new(Progress::default());
    let shown = tokio::spawn(show(progress.clone(), arguments.duration));
    let report = simulate(client, &options, progress, stop).await;
    shown.abort();
    interrupt.abort();
    let report = report.map_err(|error| match error {
        Error::Request(chimera_client::Error::Unreachable(_)) => Exit::NotRunning(error.to_string()).into(),
        other => anyhow::Error::from(other),
    })?;
    match output {
        Output::Json => println!("{}", serde_json::to_string_pretty(&report)?),
        Output::Text => {
            let rows: Vec<Vec<String>> = report
                .requests
                .iter()
                .map(|measure| {
                    let ms = |value: f64| format!("{value:.1}");
                    let counts = [measure.count, measure.errors, measure.wrong].map(|count| count.to_string());
                    let latencies = [measure.p50_ms, measure.p90_ms, measure.p99_ms, measure.max_ms].map(ms);
                    std::iter::once(measure.request.to_owned()).chain(counts).chain([ms(measure.per_s)]).chain(latencies).collect()
                })
                .collect();
            println!("{}", table::render(&["request", "count", "failed", "wrong", "per s", "p50 ms", "p90 ms", "p99 ms", "max ms"], &rows));
            let came = &report.came;
            println!(
                "\n{} journeys in {:.1} s: {} orders, {:.1} a second, {} with a coupon; {} cancelled, {} returned; {} found something \
                 sold out, {} a new price, {} cards were declined; {} had to wait",
                came.journeys,
                report.seconds,
                came.orders,
                report.orders_per_s,
                came.with_coupon,
                came.cancelled,
                came.returned,
                came.sold_out,
                came.repriced,
                came.declined,
                report.late
            );
            println!("{} requests failed, {} answers were wrong", report.errors, report.wrong);
            for message in &report.error_messages {
                eprintln!("{} {message}", ui::red("failed:"));
            }
        }
    }
    if report.errors + report.wrong > 0 { Err(Exit::Found.into()) } else { Ok(()) }
}

async fn show(progress: Arc<Progress>, duration: Option<u64>) {
    let mut bar = ui::Bar::new("seconds", duration.unwrap_or(u64::MAX));
    let started = Instant::now();
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let (orders, requests) = (progress.orders.load(Ordering::Relaxed), progress.requests.load(Ordering::Relaxed));
        let rate = requests as f64 / started.elapsed().as_secs_f64();
        bar.set(started.elapsed().as_secs(), &format!("{orders} orders, {rate:.0} requests/s"));
    }
}
