//! Reads that may go to a replica, and those that have to see a write.

use std::time::Duration;

use sqlx::PgPool;
use tokio::time::{Instant, sleep, timeout_at};

use super::freshness::After;
use super::state::App;
use crate::shop::databases::Databases;
use crate::shop::shards::Shard;

/// Between two looks at how far the replica is.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// A replica that does not even say how far it is in this time is not waited for.
const LOOK_AT_MOST: Duration = Duration::from_secs(1);

impl App {
    /// Where to read a service's database: the replica, once it holds the position that the reader has to see; else the primary, which
    /// holds every position that it gave out. `source` names the database in a position, as `orders` in `orders:24023128`.
    pub(crate) async fn reader(&self, source: &str, pool: impl Fn(&Databases) -> &PgPool, after: &After) -> PgPool {
        let primary = pool(&self.databases);
        let Some(replica) = self.parts.replica.as_ref().map(pool) else { return primary.clone() };
        let wanted = after.position.as_ref().map_or(0, |position| position.get(source));
        let has_it = timeout_at(Instant::now() + after.wait.max(LOOK_AT_MOST), async {
            let deadline = Instant::now() + after.wait;
            loop {
                match is_behind(replica, wanted).await {
                    Ok(false) => return true,
                    Ok(true) if Instant::now() < deadline => sleep(LOOK_EVERY).await,
                    Ok(true) => return false,
                    Err(error) => {
                        tracing::warn!(%error, "the replica does not answer; the primary is read");
                        return false;
                    }
                }
            }
        });
        let has_it = has_it.await.unwrap_or(false);
        metrics::counter!("chimera_replica_reads_total", "read" => if has_it { "replica" } else { "primary" }).increment(1);
        if has_it { replica.clone() } else { primary.clone() }
    }
}

impl App {
    /// Likewise of one database of orders.
    pub(crate) async fn orders_reader(&self, shard: &Shard, after: &After) -> PgPool {
        self.reader(&shard.source, |databases| &databases.shards.all()[shard.number].pool, after).await
    }
}

/// Whether a position, in bytes of the write-ahead log, is not replayed yet. A server that is no replica any more has them all.
async fn is_behind(replica: &PgPool, position: u64) -> Result<bool, sqlx::Error> {
    let behind = "SELECT coalesce(pg_is_in_recovery() AND pg_last_wal_replay_lsn() - '0/0' < $1::text::numeric, true)";
    sqlx::query_scalar(behind).bind(position.to_string()).fetch_one(replica).await
}
