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
    work: Work,
}

enum Work {
    Whole(fn(App) -> BoxFuture<'static, Result<()>>),
    /// Of each database of orders by itself: one that is away keeps none of the others waiting.
    EachShard(fn(App, Shard) -> BoxFuture<'static, Result<()>>),
}

use Work::{EachShard, Whole};

/// An exposure is in the log soon after it happened, and still in batches.
const SOON: Duration = Duration::from_millis(100);
/// A message is on its way soon after what it tells of.
const HAND_OVER: Duration = Duration::from_millis(250);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(60 * 60);

static JOBS: &[Job] = &[
    Job {
        name: "go on with purchases",
        every: checkout::saga::EVERY,
        work: Whole(|app| Box::pin(async move { checkout::resume(&app).await })),
    },
    Job {
        name: "write orders where they belong",
        every: placements::EVERY,
        work: EachShard(|app, shard| Box::pin(async move { placements::deliver_to(&app, &shard).await })),
    },
    Job {
        name: "allocate for orders away from home",
        every: allocation_changes::EVERY,
        work: EachShard(|app, shard| Box::pin(async move { allocation_changes::add_from(&app, &shard).await })),
    },
    Job {
        name: "forget old allocations' ids",
        every: HOUR,
        work: Whole(|app| Box::pin(async move { allocation_changes::forget_old(&app.databases.orders).await })),
    },
    Job {
        name: "pay back",
        every: refunds::EVERY,
        work: EachShard(|app, shard| Box::pin(async move { refunds::pay_due(&app, &shard.pool).await })),
    },
    Job { name: "forget old purchases", every: HOUR, work: Whole(|app| Box::pin(async move { checkout::saga::sweep(&app).await })) },
    Job {
        name: "forget the provider's old events",
        every: HOUR,
        work: Whole(|app| Box::pin(async move { payments::events::sweep(&app).await })),
    },
    Job {
        name: "forget old idempotency keys",
        every: HOUR,
        work: EachShard(|_, shard| Box::pin(async move { Ok(idempotency::forget_old(&shard.pool).await.map(drop)?) })),
    },
    Job {
        name: "forget old bookings' keys",
        every: HOUR,
        work: Whole(|app| Box::pin(async move { booking::forget_old(&app.databases.inventory).await })),
    },
    Job { name: "end withdrawals", every: write_off::EVERY, work: Whole(|app| Box::pin(async move { write_off::settle(&app).await })) },
    Job { name: "forget old sessions", every: HOUR, work: Whole(|app| Box::pin(async move { sessions::sweep(&app.auth.pool).await })) },
    Job {
        name: "remove old carts",
        every: HOUR,
        work: Whole(|app| Box::pin(async move { carts::sweep::sweep(&app.databases.carts).await })),
    },
    Job {
        name: "remove pictures that no row names",
        every: HOUR,
        work: Whole(|app| Box::pin(async move { sweep::sweep(&app, sweep::GRACE).await.map(drop) })),
    },
    Job {
        name: "seal the audit trail",
        every: Sealer::EVERY,
        work: Whole(|app| Box::pin(async move { app.sealer.run(&app.databases, &*app.log).await })),
    },
    Job {
        name: "hand over messages about accounts",
        every: HAND_OVER,
        work: Whole(|app| Box::pin(async move { auth::outbox::relay(&app).await })),
    },
    Job {
        name: "hand over messages about orders",
        every: HAND_OVER,
        work: EachShard(|app, shard| Box::pin(async move { orders::outbox::relay(&app, &shard).await })),
    },
    // These two run for as long as the broker is there.
    Job { name: "send mail", every: SECOND, work: Whole(|app| Box::pin(async move { worker::run(&app, Channel::Email).await })) },
    Job { name: "call webhooks", every: SECOND, work: Whole(|app| Box::pin(async move { worker::run(&app, Channel::Webhook).await })) },
    Job {
        name: "forget messages about accounts that nobody took",
        every: HOUR,
        work: Whole(|app| Box::pin(async move { outbox::sweep(&app.auth.pool, "auth").await })),
    },
    Job {
        name: "forget messages about orders that nobody took",
        every: HOUR,
        work: EachShard(|_, shard| Box::pin(async move { outbox::sweep(&shard.pool, "orders").await })),
    },
    Job {
        name: "forget what was sent long ago",
        every: HOUR,
        work: Whole(|app| Box::pin(async move { deliveries::sweep(&app.databases.notifications).await })),
    },
    Job { name: "look for changed flags", every: SECOND, work: Whole(|app| Box::pin(async move { app.flags.refresh().await })) },
    Job { name: "write exposures", every: SOON, work: Whole(|app| Box::pin(async move { app.flags.exposures.write(&app.log).await })) },
];

/// Starts them all; they end when the set is dropped.
pub(super) fn start(app: &App) -> JoinSet<()> {
    let mut jobs = JoinSet::new();
    for job in JOBS {
        match job.work {
            Whole(run) => {
                let app = app.clone();
                jobs.spawn(repeat(job, "all", move || run(app.clone())));
            }
            EachShard(run) => {
                for shard in app.databases.shards.all() {
                    let (app, shard) = (app.clone(), shard.clone());
                    let database = shard.source.clone();
                    jobs.spawn(async move { repeat(job, &database, || run(app.clone(), shard.clone())).await });
                }
            }
        }
    }
    jobs
}

async fn repeat(job: &Job, database: &str, run: impl Fn() -> BoxFuture<'static, Result<()>>) {
    loop {
        if let Err(problem) = run().await {
            tracing::warn!(job = job.name, database, %problem, "a periodic job failed");
        }
        tokio::time::sleep(job.every).await;
    }
}
