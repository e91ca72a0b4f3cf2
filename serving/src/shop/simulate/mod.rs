//! Simulated shoppers, who use the shop through its HTTP API and nothing else, and hold every answer against what must be true.

mod accounts;
mod aftermath;
mod checks;
mod clerk;
mod measures;
mod purchase;
mod shelf;
mod shopper;
mod typos;
mod visit;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chimera_client::Client;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use self::accounts::Accounts;
use self::clerk::Clerk;
pub use self::measures::{Came, Measure, Measures};
use self::shelf::shelf;
use self::shopper::{Shop, Shopper};

/// How to simulate.
#[derive(Clone, Debug)]
pub struct Options {
    /// Shoppers a second, each of whom buys something once.
    pub rate: f64,
    /// Shoppers in the shop at once; more wait at the door.
    pub shoppers: usize,
    /// `None`: until stopped.
    pub duration: Option<Duration>,
    /// The same seed and the same shop give the same shoppers.
    pub seed: u64,
    /// Of the shop's people, who sends orders and makes a coupon. `None`: nothing is sent, and so nothing returned.
    pub clerk: Option<Client>,
}

/// What is known while it runs.
#[derive(Debug, Default)]
pub struct Progress {
    pub orders: AtomicU64,
    pub requests: AtomicU64,
    pub errors: AtomicU64,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub seconds: f64,
    pub orders_per_s: f64,
    #[serde(flatten)]
    pub came: Came,
    /// Shoppers who had to wait at the door, because the shop was slower than they came.
    pub late: u64,
    /// Requests that failed.
    pub errors: u64,
    /// Answers that cannot be true.
    pub wrong: u64,
    /// The first few of both.
    pub error_messages: Vec<String>,
    pub requests: Vec<Measure>,
}

/// The simulation could not begin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Request(#[from] chimera_client::Error),
    #[error("the shop has no products; import some, or start it with the sample shop")]
    EmptyShop,
}

/// Lets shoppers in at the rate asked for, until the time is up or `stop` is set.
pub async fn simulate(client: Client, options: &Options, progress: Arc<Progress>, stop: Arc<AtomicBool>) -> Result<Report, Error> {
    let clerk = match &options.clerk {
        Some(client) => Clerk::hire(client.clone()).await?,
        None => None,
    };
    let measures = Arc::new(Measures::default());
    let shop = Arc::new(Shop { shelf: shelf(&client).await?, client, clerk, accounts: Accounts::default(), measures, progress });
    let places = Arc::new(Semaphore::new(options.shoppers.max(1)));
    let tracker = TaskTracker::new();
    let mut random = StdRng::seed_from_u64(options.seed);
    let started = Instant::now();
    let mut next = tokio::time::Instant::now();
    let mut late = 0;
    while !stop.load(Ordering::Relaxed) && options.duration.is_none_or(|duration| started.elapsed() < duration) {
        // Shoppers come by themselves, not one after the other: the gaps between them are exponential.
        let gap = -(1.0 - random.random::<f64>()).ln() / options.rate;
        next += Duration::from_secs_f64(gap.min(10.0));
        tokio::time::sleep_until(next).await;
        let place = match places.clone().try_acquire_owned() {
            Ok(place) => place,
            Err(_) => {
                late += 1;
                let place = places.clone().acquire_owned().await;
                place.expect("the semaphore is never closed")
            }
        };
        let shopper = Shopper::new(random.random(), shop.clone());
        tracker.spawn(async move {
            shopper.shop().await;
            drop(place);
        });
        // After a stall the shoppers of the meantime do not all come at once.
        next = next.max(tokio::time::Instant::now() - Duration::from_secs(1));
    }
    tracker.close();
    tracker.wait().await;
    Ok(shop.measures.report(started.elapsed(), late))
}
