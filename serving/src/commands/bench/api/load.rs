//! An open loop: requests are due at times that do not depend on the answers, and the latency of each counts from the moment at which it was
//! due. So a server that stalls is charged with all that would have come meanwhile, too (G. Tene's *coordinated omission*).

use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use parking_lot::Mutex;
use reqwest::{Client, Request};
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

/// So many are on their way at once: far more than the server takes. One that is due beyond is not sent, and counted.
const IN_FLIGHT: usize = 2_000;
/// An answer that takes longer has failed.
const AT_MOST: Duration = Duration::from_secs(30);

/// What to send, and how often.
pub struct Load {
    pub rate: u32,
    pub duration: Duration,
    /// The n-th request; `None`: there are no more.
    pub make: Box<dyn FnMut(usize) -> Option<Request> + Send>,
}

/// What came back.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Outcome {
    pub seconds: f64,
    pub rate: u32,
    pub answered_per_s: f64,
    /// Of the answers that are what was asked for.
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub ok: u64,
    /// 429.
    pub over_rate: u64,
    /// 503.
    pub shed: u64,
    pub other: u64,
    /// How long it took to be turned away.
    pub shed_p99_ms: f64,
    /// Not sent, because as many were on their way as this machine's generator lets out.
    pub held_back: u64,
}

impl Outcome {
    /// Of all that was due.
    pub fn share(&self, count: u64) -> f64 {
        count as f64 / ((self.ok + self.over_rate + self.shed + self.other + self.held_back) as f64).max(1.0)
    }
}

struct Counts {
    ok: Histogram<u32>,
    refused: Histogram<u32>,
    over_rate: u64,
    shed: u64,
    other: u64,
}

/// Sends all that is due, and waits for the answers.
pub async fn run(http: &Client, mut load: Load) -> anyhow::Result<Outcome> {
    let histogram = || Histogram::<u32>::new_with_bounds(1, 60_000_000, 3);
    let counts = Arc::new(Mutex::new(Counts { ok: histogram()?, refused: histogram()?, over_rate: 0, shed: 0, other: 0 }));
    let (places, tracker) = (Arc::new(Semaphore::new(IN_FLIGHT)), TaskTracker::new());
    let (handle, http, made) = (tokio::runtime::Handle::current(), http.clone(), counts.clone());
    let senders = tracker.clone();
    let (began, rate) = (Instant::now(), load.rate);
    // A thread of its own: tokio's clock goes by milliseconds.
    let held_back = tokio::task::spawn_blocking(move || {
        let total = (f64::from(load.rate) * load.duration.as_secs_f64()) as usize;
        let mut held_back = 0;
        for number in 0..total {
            let due = began + Duration::from_secs(1) * u32::try_from(number).unwrap_or(u32::MAX) / load.rate;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let Ok(place) = places.clone().try_acquire_owned() else {
                held_back += 1;
                continue;
            };
            let Some(request) = (load.make)(number) else { break };
            let (http, counts) = (http.clone(), made.clone());
            senders.spawn_on(
                async move {
                    let status = send(&http, request).await;
                    note(&mut counts.lock(), status, due.elapsed());
                    drop(place);
                },
                &handle,
            );
        }
        held_back
    })
    .await?;
    tracker.close();
    tracker.wait().await;
    let seconds = began.elapsed().as_secs_f64();
    let counts = counts.lock();
    let ms = |histogram: &Histogram<u32>, quantile: f64| histogram.value_at_quantile(quantile) as f64 / 1e3;
    let answered = counts.ok.len() + counts.over_rate + counts.shed;
    Ok(Outcome {
        seconds,
        rate,
        answered_per_s: answered as f64 / seconds,
        p50_ms: ms(&counts.ok, 0.5),
        p99_ms: ms(&counts.ok, 0.99),
        ok: counts.ok.len(),
        over_rate: counts.over_rate,
        shed: counts.shed,
        other: counts.other,
        shed_p99_ms: ms(&counts.refused, 0.99),
        held_back,
    })
}

/// `None`: no whole answer came.
async fn send(http: &Client, mut request: Request) -> Option<u16> {
    *request.timeout_mut() = Some(AT_MOST);
    let answer = http.execute(request).await.ok()?;
    let status = answer.status().as_u16();
    answer.bytes().await.ok()?;
    Some(status)
}

fn note(counts: &mut Counts, status: Option<u16>, took: Duration) {
    let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    match status {
        Some(200..300) => counts.ok.saturating_record(us),
        Some(429) => {
            counts.over_rate += 1;
            counts.refused.saturating_record(us);
        }
        Some(503) => {
            counts.shed += 1;
            counts.refused.saturating_record(us);
        }
        _ => counts.other += 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_stall_is_charged_to_all_that_was_due_meanwhile() {
        use axum::routing::get;
        // Answers one at a time, the first after 300 ms: with a loop that waits for answers, one request alone would be slow.
        let one = Arc::new(tokio::sync::Mutex::new(false));
        let route = get(move || {
            let one = one.clone();
            async move {
                let mut was_slow = one.lock().await;
                if !std::mem::replace(&mut *was_slow, true) {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url: reqwest::Url = format!("http://{}/", listener.local_addr().expect("an address")).parse().expect("an address");
        tokio::spawn(axum::serve(listener, axum::Router::new().route("/", route)).into_future());
        let http = Client::builder().no_proxy().build().expect("a client");
        let make = move |_| Some(Request::new(reqwest::Method::GET, url.clone()));
        let load = Load { rate: 100, duration: Duration::from_millis(400), make: Box::new(make) };
        let outcome = run(&http, load).await.expect("sent");
        assert_eq!((outcome.ok, outcome.shed, outcome.other, outcome.held_back), (40, 0, 0, 0));
        // Thirty were due in those 300 ms: their latencies go evenly from 300 ms down to 0.
        assert!(outcome.p50_ms > 50.0 && outcome.p99_ms >= 290.0, "{outcome:?}");
    }
}
