//! What the server does by itself, now and then. [`JOBS`] is the one list.

use std::time::Duration;

use futures::future::BoxFuture;
use tokio::task::JoinSet;

use super::auth::{self, sessions};
use super::carts;
use super::catalog::pictures::sweep;
use super::inventory::{booking, write_off};
use super::notifications::{Channel, deliveries, worker};
use super::orders::{self, allocation_changes, idempotency, placements, refunds};
use super::outbox;
use super::problem::Result;
use super::state::App;
use super::{checkout, payments};
use crate::audit::Sealer;
use crate::shop::shards::Shard;

/// Work that is done again and again; a run that fails is logged, and comes again in its time.
struct Job {
    name: &'static str,
    /// From the end of a run to the next one.
    every: Duration,
    run: fn(App) -> BoxFuture<'static, Result<()>>,
}

/// An exposure is in the log soon after it happened, and still in batches.
const SOON: Duration = Duration::from_millis(100);
/// A message is on its way soon after what it tells of.
const HAND_OVER: Duration = Duration::from_millis(250);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(60 * 60);

static JOBS: &[Job] = &[
    Job { name: "go on with purchases", every: checkout::saga::EVERY, run: |app| Box::pin(async move { checkout::resume(&app).await }) },
    Job {
        name: "write orders where they belong",
        every: placements::EVERY,
        run: |app| Box::pin(async move { placements::deliver_all(&app).await }),
    },
    Job {
        name: "allocate for orders away from home",
        every: allocation_changes::EVERY,
        run: |app| Box::pin(async move { allocation_changes::add_all(&app).await }),
    },
    Job {
        name: "forget old allocations' ids",
        every: HOUR,
        run: |app| Box::pin(async move { allocation_changes::forget_old(&app.databases.orders).await }),
    },
    Job { name: "pay back", every: refunds::EVERY, run: |app| Box::pin(async move { refunds::pay_due(&app).await }) },
    Job { name: "forget old purchases", every: HOUR, run: |app| Box::pin(async move { checkout::saga::sweep(&app).await }) },
    Job { name: "forget the provider's old events", every: HOUR, run: |app| Box::pin(async move { payments::events::sweep(&app).await }) },
    Job {
        name: "forget old idempotency keys",
        every: HOUR,
        run: |app| {
            Box::pin(async move {
                let forget = |shard: &Shard| {
                    let pool = shard.pool.clone();
                    async move { Ok(idempotency::forget_old(&pool).await.map(drop)?) }
                };
                orders::in_each(&app.databases.shards, "forget old idempotency keys", forget).await;
                Ok(())
            })
        },
    },
    Job {
        name: "forget old bookings' keys",
        every: HOUR,
        run: |app| Box::pin(async move { booking::forget_old(&app.databases.inventory).await }),
    },
    Job { name: "end withdrawals", every: write_off::EVERY, run: |app| Box::pin(async move { write_off::settle(&app).await }) },
    Job { name: "forget old sessions", every: HOUR, run: |app| Box::pin(async move { sessions::sweep(&app.auth.pool).await }) },
    Job { name: "remove old carts", every: HOUR, run: |app| Box::pin(async move { carts::sweep::sweep(&app.databases.carts).await }) },
    Job {
        name: "remove pictures that no row names",
        every: HOUR,
        run: |app| Box::pin(async move { sweep::sweep(&app, sweep::GRACE).await.map(drop) }),
    },
    Job {
        name: "seal the audit trail",
        every: Sealer::EVERY,
        run: |app| Box::pin(async move { app.sealer.run(&app.databases, &*app.log).await }),
    },
    Job {
        name: "hand over messages about accounts",
        every: HAND_OVER,
        run: |app| Box::pin(async move { auth::outbox::relay(&app).await }),
    },
    Job {
        name: "hand over messages about orders",
        every: HAND_OVER,
        run: |app| Box::pin(async move { orders::outbox::relay(&app).await }),
    },
    // These two run for as long as the broker is there.
    Job { name: "send mail", every: SECOND, run: |app| Box::pin(async move { worker::run(&app, Channel::Email).await }) },
    Job { name: "call webhooks", every: SECOND, run: |app| Box::pin(async move { worker::run(&app, Channel::Webhook).await }) },
    Job {
        name: "forget messages that nobody took",
        every: HOUR,
        run: |app| {
            Box::pin(async move {
                outbox::sweep(&app.auth.pool, "auth").await?;
                orders::in_each(&app.databases.shards, "forget messages that nobody took", |shard| outbox::sweep(&shard.pool, "orders"))
                    .await;
                Ok(())
            })
        },
    },
    Job {
        name: "forget what was sent long ago",
        every: HOUR,
        run: |app| Box::pin(async move { deliveries::sweep(&app.databases.notifications).await }),
    },
    Job { name: "look for changed flags", every: SECOND, run: |app| Box::pin(async move { app.flags.refresh().await }) },
    Job { name: "write exposures", every: SOON, run: |app| Box::pin(async move { app.flags.exposures.write(&app.log).await }) },
];

/// Starts them all; they end when the set is dropped.
pub(super) fn start(app: &App) -> JoinSet<()> {
    JOBS.iter().map(|job| repeat(job, app.clone())).collect()
}

async fn repeat(job: &Job, app: App) {
    loop {
        if let Err(problem) = (job.run)(app.clone()).await {
            tracing::warn!(job = job.name, %problem, "a periodic job failed");
        }
        tokio::time::sleep(job.every).await;
    }
}
