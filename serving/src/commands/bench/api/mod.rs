//! What the API takes: each kind of request at a fixed rate, beside a constant answered in the same minute; and ten times of all of it.

mod constant;
mod load;
mod requests;

use std::time::Duration;

use anyhow::Context;
use reqwest::{Client, Method, Url};
use serde::Serialize;

use self::load::{Load, Outcome, run};
use self::requests::{Make, Requests, constant, mixed};
use super::platform::Platform;
use crate::commands::{table, ui};

const READS_PER_S: u32 = 1_000;
const WRITES_PER_S: u32 = 100;
const SURGE: u32 = 10;
const REFERENCE: Duration = Duration::from_secs(4);
const MEASURED: Duration = Duration::from_secs(10);
/// What one kind of requests leaves to be done is not in the figures of the next.
const QUIET: Duration = Duration::from_secs(60);
/// Of every so many writes, one is a purchase.
const CARTS_A_CHECKOUT: usize = 10;
/// Of every so many reads, one is a search.
const PRODUCTS_A_SEARCH: usize = 5;

/// One kind of request at its rate.
#[derive(Debug, Serialize)]
pub struct Row {
    pub what: &'static str,
    pub outcome: Outcome,
    /// Of the constant at the same rate; `None`: it is one.
    pub constant: Option<Outcome>,
}

#[derive(Debug, Serialize)]
pub struct Figures {
    pub rows: Vec<Row>,
    /// Before, during and after: reads and writes.
    pub surge: Vec<(&'static str, Outcome, Outcome)>,
}

pub async fn measure(platform: &Platform) -> anyhow::Result<Figures> {
    let step = ui::Step::new("API");
    // A connection a request on its way, of which a surge has thousands.
    fdlimit::raise_fd_limit().context("cannot have as many open files as a surge needs")?;
    let (base, operator) = platform.http()?;
    let requests = Requests::new(&base, &operator).await?;
    let http = Client::builder().no_proxy().pool_max_idle_per_host(usize::MAX).build()?;
    let reference: Url = format!("http://{}/", constant::serve()?).parse()?;
    let mut rows = Vec::new();
    for (method, rate, kinds) in [
        (Method::GET, READS_PER_S, [("product read", requests.product()), ("search", requests.search())]),
        (
            Method::POST,
            WRITES_PER_S,
            [("cart add", requests.cart()), ("checkout", requests.checkout(count(WRITES_PER_S, MEASURED)).await?)],
        ),
    ] {
        step.doing("the constant");
        let constant = at(&http, rate, REFERENCE, constant(&reference, &method)).await?;
        let what = if method == Method::GET { "a constant, read (reference)" } else { "a constant, posted to (reference)" };
        rows.push(Row { what, outcome: constant.clone(), constant: None });
        for (what, make) in kinds {
            step.doing(what);
            platform.caught_up(QUIET).await?;
            rows.push(Row { what, outcome: at(&http, rate, MEASURED, make).await?, constant: Some(constant.clone()) });
        }
    }
    let mut surge = Vec::new();
    for (what, times) in [("as before", 1), ("ten times as much", SURGE), ("as before again", 1)] {
        step.doing(what);
        platform.caught_up(QUIET).await?;
        let (reads, writes) = both(&http, &requests, times).await?;
        surge.push((what, reads, writes));
    }
    step.done(format!("{} kinds of requests, and a surge", rows.len()));
    Ok(Figures { rows, surge })
}

fn count(rate: u32, duration: Duration) -> usize {
    (f64::from(rate) * duration.as_secs_f64()).ceil() as usize
}

async fn at(http: &Client, rate: u32, duration: Duration, make: Make) -> anyhow::Result<Outcome> {
    run(http, Load { rate, duration, make }).await
}

/// Reads and writes of all kinds together.
async fn both(http: &Client, requests: &Requests, times: u32) -> anyhow::Result<(Outcome, Outcome)> {
    let (reads_per_s, writes_per_s) = (READS_PER_S * times, WRITES_PER_S * times);
    let checkouts = count(writes_per_s, MEASURED).div_ceil(CARTS_A_CHECKOUT);
    let reads = mixed(requests.search(), 1, PRODUCTS_A_SEARCH, requests.product());
    let writes = mixed(requests.checkout(checkouts).await?, 1, CARTS_A_CHECKOUT, requests.cart());
    tokio::try_join!(at(http, reads_per_s, MEASURED, reads), at(http, writes_per_s, MEASURED, writes))
}

impl Figures {
    pub fn text(&self) -> String {
        let ms = |value: f64| format!("{value:.2}");
        let rows = self.rows.iter().map(|Row { what, outcome, constant }| {
            let ratio = |of: fn(&Outcome) -> f64| {
                constant.as_ref().map_or("1".to_owned(), |constant| format!("{:.1}", of(outcome) / of(constant).max(1e-3)))
            };
            vec![
                (*what).to_owned(),
                outcome.rate.to_string(),
                format!("{:.0}", outcome.answered_per_s),
                ms(outcome.p50_ms),
                ms(outcome.p99_ms),
                ratio(|outcome| outcome.p50_ms),
                ratio(|outcome| outcome.p99_ms),
                (outcome.over_rate + outcome.shed + outcome.other + outcome.held_back).to_string(),
            ]
        });
        let head = ["the API, over loopback", "due/s", "answered/s", "p50 ms", "p99 ms", "p50 ratio", "p99 ratio", "not 2xx"];
        let kinds = table::render(&head, &rows.collect::<Vec<_>>());
        let percent = |outcome: &Outcome, count: u64| format!("{:.1}", outcome.share(count) * 100.0);
        let rows = self.surge.iter().flat_map(|(when, reads, writes)| {
            [("reads", reads), ("writes", writes)].map(|(kind, outcome)| {
                vec![
                    format!("{kind}, {when}"),
                    outcome.rate.to_string(),
                    format!("{:.0}", outcome.answered_per_s),
                    percent(outcome, outcome.ok),
                    percent(outcome, outcome.over_rate),
                    percent(outcome, outcome.shed),
                    percent(outcome, outcome.other),
                    percent(outcome, outcome.held_back),
                    ms(outcome.p50_ms),
                    ms(outcome.p99_ms),
                    ms(outcome.shed_p99_ms),
                ]
            })
        });
        let head = [
            "all kinds together",
            "due/s",
            "answered/s",
            "2xx %",
            "429 %",
            "503 %",
            "else %",
            "not sent %",
            "p50 ms",
            "p99 ms",
            "refused p99 ms",
        ];
        let surge = table::render(&head, &rows.collect::<Vec<_>>());
        format!("{kinds}\n\n{surge}")
    }
}
